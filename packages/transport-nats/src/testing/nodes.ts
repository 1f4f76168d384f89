// Transports of the tests over NATS, which are closed when the test ends.

import {
  type Backend,
  type CommonOptions,
  createTransport,
  type Handlers,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { nats } from '../nats.ts';
import type { NatsBackendOptions } from '../nats-options.ts';
import { testProtocol as protocol } from './protocol.ts';

/** The options of the transport and of its backend; `network` is that of both. */
export interface Options
  extends NatsBackendOptions,
    Pick<CommonOptions, 'dialTimeout' | 'hello' | 'keepAlive' | 'observer'> {
  /** The address to listen on. */
  readonly bindAddr?: string | undefined;
  /** Replaces the backend by another one around it. */
  readonly wrap?: ((backend: Backend) => Backend) | undefined;
}
export type TestTransport = Transport<typeof protocol>;

/** Opens a transport that only dials. */
export function client(t: ExecutionContext, options: Options): TestTransport {
  const { bindAddr, network, hello, keepAlive, dialTimeout, observer, wrap, ...backend } = options;
  const inner = nats({ ...backend, network });
  const backends = [wrap?.(inner) ?? inner];
  const common = { protocol, network, hello, keepAlive, dialTimeout, observer, backends };
  const transport =
    bindAddr === undefined ? createTransport(common) : createTransport(bindAddr, common);
  t.teardown(() => transport.close());
  return transport;
}

/** Opens a transport that listens, and that serves `echo` and the given methods. */
export async function node(
  t: ExecutionContext,
  options: Options,
  handlers: Handlers<typeof protocol> = {},
): Promise<TestTransport> {
  const { servers = [] } = options;
  const [server = '127.0.0.1'] = typeof servers === 'string' ? [servers] : servers;
  const transport = client(t, { bindAddr: `nats://${server}/node-${++nodes}`, ...options });
  serve(transport, { echo: (request) => request, ...handlers });
  await transport.listen();
  return transport;
}

let nodes = 0;

/** Resolves when `holds` returns or resolves to true; calls it repeatedly for up to a minute. */
export async function eventually(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 2_400; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('this did not happen within a minute');
}
