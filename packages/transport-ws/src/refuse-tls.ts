// Refuses certificates in a browser.

import type { WsStreamLayerOptions } from './ws-options.ts';

/** @throws TypeError that names the function, if there are TLS options. */
export function refuseTls({ tls }: Pick<WsStreamLayerOptions, 'tls'>, name: string): void {
  if (tls !== undefined)
    throw new TypeError(
      `${name}: tls: a page can't present a certificate; dial wss:// without it, and prove the user in 'hello'`,
    );
}
