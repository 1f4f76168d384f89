// A page with one transport over WebSocket.

import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { lines, QUICK } from '../lines.ts';
import { offerLines } from './offer-lines.ts';

offerLines(
  createTransport('ws://127.0.0.1:0', {
    protocol: lines,
    keepAlive: QUICK,
    dialTimeout: 1_000,
    backends: [ws()],
  }),
);
