// The public API of @trunkline/transport-ws in Node.

export type { Pem, TlsOptions, TlsUpdate } from '@trunkline/transport-core/backend';
export { ws } from './ws.ts';
export type { WsBackend, WsBackendOptions } from './ws-backend.ts';
export type { HttpServer, UpgradeRequest } from './ws-options.ts';
