// Signaling over a WAMP router.

export { createWampSignal, type WampSignal, type WampSignalOptions } from './wamp/wamp-signal.ts';
export type { OpenWebSocket, WebSocketLike } from './wamp/web-socket.ts';
