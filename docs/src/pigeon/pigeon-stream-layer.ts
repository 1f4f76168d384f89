// One post for all the tests of a file, in the shape that a layer on sockets has.

import type { StreamLayer } from '@trunkline/transport-core';
import { createPigeonPost, type PigeonOptions } from './pigeon-post.ts';

const post = createPigeonPost();

export const createPigeonStreamLayer = (options: PigeonOptions): StreamLayer => post.layer(options);
