// Gives all tests of a file one shared network, in the same shape as a layer on sockets.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createPortNetwork, type PortOptions } from './port-network.ts';

const network = createPortNetwork();

export const createPortStreamLayer = (options: PortOptions): StreamLayer => network.layer(options);
