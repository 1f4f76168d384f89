/// <reference lib="esnext.disposable" preserve="true" />
// The main entry: protocols, transports, serving and calling. In a browser, `tcp()` throws
// `unimplemented`; the declarations are the same.

export * from '@trunkline/resilience/health';
export * from '@trunkline/transport-core';
export {
  type DirectBackend,
  direct,
  type InmemBackendOptions,
  inmem,
} from '@trunkline/transport-inmem';
export type { TcpBackend, TcpBackendOptions } from '@trunkline/transport-tcp';
export { type WsBackend, type WsBackendOptions, ws } from '@trunkline/transport-ws';
export { tcp } from '#backends';
export { type CreateTransportOptions, createTransport } from './create-transport.ts';
