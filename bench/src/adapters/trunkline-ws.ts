// Trunkline over WebSocket.

import { createWsTransport } from '@trunkline/transport-ws';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineWs = trunkline('trunkline-ws', async () => createWsTransport(OPTIONS));
