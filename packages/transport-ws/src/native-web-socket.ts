// The part of the browser's WebSocket (also in Node from version 22 on) that this package uses.
// Declared here so that users need not have the DOM types.

export interface NativeWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly protocol: string;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: (() => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
}

export type NativeWebSocketClass = new (url: string, protocols: string) => NativeWebSocket;

/** The value of WebSocket.OPEN. */
export const OPEN = 1;
