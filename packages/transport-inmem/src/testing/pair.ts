// A server and a client in memory.

import {
  type CommonOptions,
  createTransport,
  type Handlers,
  type Protocol,
  type ServeOptions,
  serve,
} from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { inmem } from '../index.ts';

export interface PairOptions {
  readonly client?: CommonOptions;
  readonly server?: CommonOptions;
  readonly serving?: ServeOptions;
}

/**
 * Starts a server that listens, and serves these handlers if there are any, and creates a client of
 * it. Both are closed after the test.
 */
export async function pair<P extends Protocol>(
  t: ExecutionContext,
  protocol: P,
  handlers: Handlers<P> | undefined,
  options: PairOptions = {},
) {
  const backends = [inmem()];
  const to = 'inmem://server';
  const server = createTransport(to, { ...options.server, protocol, backends });
  if (handlers !== undefined) serve(server, handlers, options.serving);
  await server.listen();
  const client = createTransport({ ...options.client, protocol, backends });
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  return { backends, client, server, to };
}
