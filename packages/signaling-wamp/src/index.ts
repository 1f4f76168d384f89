// The public API of @trunkline/signaling-wamp: signaling over a WAMP router.

export { type WampSignal, type WampSignalOptions, wampSignal } from './wamp-signal.ts';
export type { OpenWebSocket, WebSocketLike } from './web-socket.ts';
