// The WebSocket of browsers (and of Node from 22 on), as far as it is used: the types of the DOM are not ours to ask for.

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

/** WebSocket.OPEN. */
export const OPEN = 1;
