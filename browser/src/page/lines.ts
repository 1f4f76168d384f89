// A page with one transport over WebSocket.

import { createWsTransport } from '@trunkline/transport-ws';
import { lines, QUICK } from '../lines.ts';
import { offerLines } from './offer-lines.ts';

offerLines(createWsTransport({ protocol: lines, keepAlive: QUICK, dialTimeout: 1_000 }));
