// Refuses in a browser what pages can't have: certificates, and headers of their own.

import type { WsStreamLayerOptions } from './ws-options.ts';

/** @throws TypeError that names the function, if there are TLS options or headers. */
export function refuseTls(
  { tls, headers }: Pick<WsStreamLayerOptions, 'tls' | 'headers'>,
  name: string,
): void {
  if (headers !== undefined)
    throw new TypeError(`${name}: headers: a page can't set headers; use cookies, or 'hello'`);
  if (tls !== undefined)
    throw new TypeError(
      `${name}: tls: a page can't present a certificate; dial wss:// without it, and prove the user in 'hello'`,
    );
}
