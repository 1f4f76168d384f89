// The part of a WebSocket that the client uses; the browser's WebSocket and that of ws both have
// it.

/** A WebSocket; assign the handlers before its first event. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/**
 * Opens a WebSocket with a sub-protocol. The result may be a promise, but has no events before it.
 * A TransportError that it throws is reported as it is, and any other error as `invalid_argument`.
 */
export type OpenWebSocket = (
  url: string,
  protocol: string,
) => WebSocketLike | Promise<WebSocketLike>;

/**
 * Maximum length of a router's message, in characters, and with ws in Node also in bytes; a message
 * carries one description.
 */
export const LONGEST_MESSAGE = 128 * 1024;
