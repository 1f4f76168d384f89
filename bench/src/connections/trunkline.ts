// Trunkline connections that are not closed for being idle and have the default keep-alive: a ping
// after 10 s of silence.

import { createNoiseStreamLayer } from '@trunkline/security/noise';
import {
  bytes,
  type CommonOptions,
  createTransport,
  defineProtocol,
  type Observer,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { identityOf, type Role, tlsOf } from '../secure/nodes.ts';
import { CALL, checkCall } from './call.ts';
import type { Kind } from './kind.ts';

const protocol = defineProtocol({
  name: 'bench',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

export const trunklineTcp = trunkline(async (_role, options) =>
  createTransport('tcp://127.0.0.1:0', { ...options, protocol, backends: [tcp()] }),
);

export const trunklineTls = trunkline(async (role, options) =>
  createTransport('tcp://127.0.0.1:0', {
    ...options,
    protocol,
    backends: [tcp({ tls: await tlsOf(role) })],
  }),
);

export const trunklineNoise = trunkline(
  async (role, options) =>
    new NetworkTransport({
      ...options,
      protocol,
      stream: createNoiseStreamLayer(createTcpStreamLayer(), { identity: identityOf(role) }),
    }),
);

function trunkline(
  open: (role: Role, options: CommonOptions) => Promise<Transport<typeof protocol>>,
): Kind {
  return {
    async serve(counts) {
      const observer: Observer = {
        event({ type }) {
          if (type === 'up') counts.up++;
          else if (type === 'down') counts.down++;
        },
      };
      const transport = await open('server', { ...FOR_EVER, observer });
      serve(transport, { echo: (request) => request });
      await transport.listen();
      return {
        address: transport.localAddr(),
        received: () =>
          new Map(transport.snapshot().connections.map(({ id, bytes }) => [id, bytes.in])),
        close: () => transport.close(),
      };
    },

    async connect(address) {
      const names: string[] = [];
      const call = async (name: string) => checkCall(await transport.send(name, 'echo', CALL));
      const holder = {
        lost: 0,
        // A target has one connection, so each connection gets its own name for the same address.
        open: () => call(names[names.push(`connection-${names.length + 1}:1`) - 1]!),
        call: (at: number) => call(names[at]!),
        close: () => transport.close(),
      };
      const observer: Observer = { event: ({ type }) => void (type === 'down' && holder.lost++) };
      const transport = await open('client', { ...FOR_EVER, observer, resolve: () => address });
      return holder;
    },
  };
}

const FOR_EVER = { maxPool: 1, idleTimeout: Number.POSITIVE_INFINITY } satisfies CommonOptions;
