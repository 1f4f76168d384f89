// Gives all tests of a file one shared post, in the same shape as a layer on sockets.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createPigeonPost, type PigeonOptions } from './pigeon-post.ts';

const post = createPigeonPost();

export const createPigeonStreamLayer = (options: PigeonOptions): StreamLayer => post.layer(options);
