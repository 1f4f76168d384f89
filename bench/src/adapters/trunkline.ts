// Trunkline with the settings that users have: default deadlines and limits, one connection, plain
// bytes. Each adapter chooses the backend.

import { createNoiseStreamLayer } from '@trunkline/security/noise';
import {
  type Backend,
  bytes,
  type CommonOptions,
  createTransport,
  defineProtocol,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { ws } from '@trunkline/transport-ws';
import { identityOf, type Role, tlsOf } from '../secure/nodes.ts';
import type { Adapter, Adapters, Answer, Caller } from './adapter.ts';

const first = defineProtocol({
  name: 'bench',
  version: 1,
  channel: 0x20,
  methods: { answer: { id: 1, request: bytes, response: bytes } },
});

export type First = typeof first;
/** Makes a server answer calls. */
type Serve = (transport: Transport<First>, answer: Answer) => void;

/**
 * The options that every adapter opens its transport with. Calls get the default deadline, and the
 * default keep-alive is a ping after 10 s of silence.
 */
export const OPTIONS = {
  protocol: first,
  maxPool: 1,
  // Connections wait until others are open.
  idleTimeout: Number.POSITIVE_INFINITY,
} as const;

type Open = (
  role: Role,
  options?: CommonOptions & { readonly protocol?: First },
) => Promise<Transport<First>>;

/** Opens a transport over each carrier, with options in addition to those of all adapters. */
export const OPEN: Readonly<Record<'tcp' | 'tls' | 'ws' | 'noise', Open>> = {
  tcp: over('tcp://127.0.0.1:0', () => tcp()),
  tls: over('tcp://127.0.0.1:0', async (role) => tcp({ tls: await tlsOf(role) })),
  ws: over('ws://127.0.0.1:0', () => ws()),
  noise: async (role, options) => {
    const stream = createNoiseStreamLayer(createTcpStreamLayer(), { identity: identityOf(role) });
    return new NetworkTransport({ ...OPTIONS, ...options, stream });
  },
};

function over(address: string, backend: (role: Role) => Backend | Promise<Backend>): Open {
  return async (role, options) =>
    createTransport(address, { ...OPTIONS, ...options, backends: [await backend(role)] });
}

/** @param serving how calls are served; by handlers by default. */
export function trunkline(open: Open, serving: Serve = byHandlers): Adapter {
  return {
    async serve(answer) {
      const transport = await open('server');
      serving(transport, answer);
      await transport.listen();
      return { address: transport.localAddr(), close: () => transport.close() };
    },

    async connect(address) {
      const transport = await open('client', { resolve: () => address });
      const caller = (to: string) => callerOf(transport, to, () => transport.close());
      let opened = 0;
      // A target has one connection, so each connection gets its own name for the same address.
      return { ...(await caller(address)), another: () => caller(`connection-${++opened}:1`) };
    },
  };
}

/** Dials the server, then returns a caller for that connection. */
export async function callerOf(
  transport: Transport<First>,
  address: string,
  close: () => Promise<void>,
): Promise<Caller> {
  await transport.dial(address);
  return { call: (request) => transport.send(address, 'answer', request), close };
}

export function byHandlers(transport: Transport<First>, answer: Answer): void {
  serve(transport, { answer });
}

/** Serves calls by `consumer()`, as Raft does. */
async function byConsumer(transport: Transport<First>, answer: Answer): Promise<void> {
  for await (const rpc of transport.consumer()) rpc.respond(answer(rpc.request));
}

export const adapters: Adapters = {
  'trunkline-tcp': trunkline(OPEN.tcp),
  'trunkline-tcp-consumer': trunkline(OPEN.tcp, byConsumer),
  // Limits the bytes in flight to 256 KiB, as `limit-net-credit` does.
  'trunkline-tcp-fixed': trunkline((role, options) =>
    OPEN.tcp(role, { ...options, limits: { credit: { pipe: 256 * 1024 } } }),
  ),
  'trunkline-ws': trunkline(OPEN.ws),
  'trunkline-tls': trunkline(OPEN.tls),
  'trunkline-noise': trunkline(OPEN.noise),
};
