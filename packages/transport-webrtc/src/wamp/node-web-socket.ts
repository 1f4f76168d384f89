// Opens WebSockets in Node, with ws.

import { WebSocket } from 'ws';
import { LONGEST_MESSAGE, type OpenWebSocket } from './web-socket.ts';

/** Opens a WebSocket that refuses long messages before they are in memory. */
export const openWebSocket: OpenWebSocket = (url, protocol) =>
  new WebSocket(url, protocol, { maxPayload: LONGEST_MESSAGE, perMessageDeflate: false });
