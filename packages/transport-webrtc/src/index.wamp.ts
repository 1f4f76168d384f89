// Signaling over a WAMP router.

export { type WampSignal, type WampSignalOptions, wampSignal } from './wamp/wamp-signal.ts';
export type { OpenWebSocket, WebSocketLike } from './wamp/web-socket.ts';
