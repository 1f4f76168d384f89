// The backends that a browser has. Browsers get this file as '#backends'.

import { type Backend, TransportError } from '@trunkline/transport-core';
import type * as node from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';

/** Throws `unimplemented`: a page can't open TCP connections. */
export const tcp: typeof node.tcp = () => {
  throw new TransportError(
    'unimplemented',
    'tcp: a page cannot open TCP connections; use ws(), and let the other node listen on ws:// as well',
  );
};

/**
 * Creates the backends of transports that are given none. A memory network would cost each page 2
 * kB, so a page that wants one passes `inmem()`.
 */
export const createDefaultBackends = (): readonly Backend[] => [ws()];
