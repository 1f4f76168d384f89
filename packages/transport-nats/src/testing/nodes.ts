// Transports of the tests over NATS, which are closed when the test ends.

import { type Handlers, serve, type Transport } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { createNatsTransport, type NatsTransportOptions } from '../nats.ts';
import { testProtocol as protocol } from './protocol.ts';

type Options = Omit<NatsTransportOptions<typeof protocol>, 'protocol'>;
export type TestTransport = Transport<typeof protocol>;

/** Opens a transport that only dials. */
export function client(t: ExecutionContext, options: Options): TestTransport {
  const transport = createNatsTransport({ ...options, protocol });
  t.teardown(() => transport.close());
  return transport;
}

/** Opens a transport that listens, and that serves `echo` and the given methods. */
export async function node(
  t: ExecutionContext,
  options: Options,
  handlers: Handlers<typeof protocol> = {},
): Promise<TestTransport> {
  const transport = client(t, options);
  serve(transport, { echo: (request) => request, ...handlers });
  await transport.listen();
  return transport;
}

/** Resolves when `holds` returns true or resolves to true; calls it repeatedly for up to 20 s. */
export async function eventually(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 800; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('this did not happen within 20 s');
}
