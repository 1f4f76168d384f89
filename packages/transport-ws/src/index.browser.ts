// The browser build of this package: the same exports as in Node, but it can only dial.

import { createNativeStreamLayer } from './native-stream-layer.ts';
import { refuseTls } from './refuse-tls.ts';
import { type WsBackend, type WsBackendOptions, wsBackend } from './ws-backend.ts';

/**
 * Creates a backend for 'ws://host:port/path' and 'wss://…' that only dials. Options that concern
 * listening have no effect.
 *
 * @throws TypeError that names an invalid option, or for `tls` or `headers`.
 */
export function ws<T = undefined>(options: WsBackendOptions<T> = {}): WsBackend<T> {
  refuseTls(options, 'ws');
  return wsBackend(options, createNativeStreamLayer);
}
