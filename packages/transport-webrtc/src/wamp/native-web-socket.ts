// Opens WebSockets in browsers.

import { TransportError } from '@trunkline/transport-core';
import type { OpenWebSocket, WebSocketLike } from './web-socket.ts';

/** Opens the runtime's own WebSocket. Throws `failed_precondition` if there is none. */
export const openWebSocket: OpenWebSocket = (url, protocol) => {
  const { WebSocket } = globalThis as {
    WebSocket?: new (url: string, protocol: string) => WebSocketLike;
  };
  if (WebSocket === undefined)
    throw new TransportError(
      'failed_precondition',
      'this runtime has no WebSocket: pass webSocket',
    );
  return new WebSocket(url, protocol);
};
