// Writes docs/cli.md from the help of the command. Run it after a build.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { helpPage } from '../packages/cli/dist/help-page.js';
import { root } from './workspace.mjs';

writeFileSync(join(root, 'docs/cli.md'), helpPage());
