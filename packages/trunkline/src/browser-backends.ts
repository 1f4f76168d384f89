// The backends that a browser has. Browsers get this file as '#backends'.

import { type Backend, TransportError } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import type * as node from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';

/** Throws `unimplemented`: a page can't open TCP connections. */
export const tcp: typeof node.tcp = () => {
  throw new TransportError(
    'unimplemented',
    'tcp: a page cannot open TCP connections; use ws(), and let the other node listen on ws:// as well',
  );
};

let shared: readonly Backend[] | undefined;

/** Returns the backends of transports that are given none; all of the page share them. */
export const defaultBackends = (): readonly Backend[] => (shared ??= [ws(), inmem()]);
