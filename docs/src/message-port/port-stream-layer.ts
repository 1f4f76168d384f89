// Gives all tests of a file one shared post, in the same shape as a layer on sockets.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createPortNetwork, type PortOptions } from './port-network.ts';

const post = createPortNetwork();

export const createPortStreamLayer = (options: PortOptions): StreamLayer => post.layer(options);
