// Opens WebSockets in Node, with ws, which users install if they want it.

import { TransportError } from '@trunkline/transport-core';
import { LONGEST_MESSAGE, type OpenWebSocket } from './web-socket.ts';

/**
 * Opens a WebSocket that refuses long messages before they are in memory. Rejects with
 * `unimplemented` if ws isn't installed.
 */
export const openWebSocket: OpenWebSocket = async (url, protocol) => {
  const { WebSocket } = await loadWs();
  return new WebSocket(url, protocol, OPTIONS);
};

async function loadWs() {
  try {
    // Bundlers accept that a module is missing only if it is imported inside `try`.
    return await import('ws');
  } catch (cause) {
    throw new TransportError(
      'unimplemented',
      "WAMP in Node needs ws, which could not be loaded: install it (npm install ws@^8.23.0), or pass the option 'webSocket'",
      { cause },
    );
  }
}

const OPTIONS = {
  maxPayload: LONGEST_MESSAGE,
  perMessageDeflate: false,
  /** A router that does not answer a close keeps the process alive for this time, not for 30 s. */
  closeTimeout: 1_000,
};
