// For `node --import`: plants the edits in the environment variable EDITS into the modules that
// this process loads. The files on disk stay as they are.

import { register } from 'node:module';

register('./hooks.js', import.meta.url);
