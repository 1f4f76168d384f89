// Trunkline over WebSocket.

import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineWs = trunkline('trunkline-ws', async () =>
  createTransport('ws://127.0.0.1:0', { ...OPTIONS, backends: [ws()] }),
);
