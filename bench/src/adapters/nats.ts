// Requests and a stream over NATS, each through a server of its own: hand-written with credit on
// the NATS client alone, and Trunkline's calls and downloads.

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNatsServer } from '@trunkline/local-nats';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { nats } from '@trunkline/transport-nats';
import type { Adapters } from './adapter.ts';

/** The chunks of the stream, in bytes. */
const CHUNK = 64 * 1024;
/** The bytes on their way at most. */
const CREDIT = 4 * 1024 * 1024;

const protocol = defineProtocol({
  name: 'bench-nats',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    chunks: { id: 2, request: bytes, download: bytes },
  },
});
const OPTIONS = { protocol, backends: [nats()], maxPool: 1 };
const NOTHING = new Uint8Array(0);

export const adapters: Adapters = {
  'bare-nats': {
    async serve(answer) {
      const { address, kill } = await startNatsServer();
      const client = await connect({ servers: address });
      client.subscribe('bare.echo', {
        callback: (_error, message) => void message.respond(answer(message.data)),
      });
      client.subscribe('bare.stream', {
        callback: (_error, message) => stream(client, message.string(), message.reply!),
      });
      await client.flush();
      return { address, close: () => client.close().finally(kill) };
    },

    async connect(servers) {
      const client = await connect({ servers });
      let count = 0;
      return {
        call: async (request) => (await client.request('bare.echo', request)).data,
        stream: (take) =>
          new Promise((resolve) => {
            const id = `bare.${client.info!.client_id}.${++count}`;
            let taken = 0;
            let isOver = false;
            const subscription = client.subscribe(`${id}.chunks`, {
              callback: (_error, { data }) => {
                if (isOver) return;
                isOver = !take(data.length);
                taken += data.length;
                if (isOver) {
                  subscription.unsubscribe();
                  client.publish(`${id}.more`, '0');
                  resolve();
                } else if (taken >= CREDIT / 4) {
                  client.publish(`${id}.more`, String(taken));
                  taken = 0;
                }
              },
            });
            client.publish('bare.stream', `${id}.chunks`, { reply: id });
          }),
        close: () => client.close(),
      };
    },
  },

  'trunkline-nats': {
    async serve(answer) {
      const { address, kill } = await startNatsServer();
      const transport = createTransport(`nats://${address}/bench`, OPTIONS);
      const chunk = new Uint8Array(CHUNK);
      serve(transport, {
        echo: answer,
        async *chunks() {
          for (;;) yield chunk;
        },
      });
      await transport.listen();
      return { address, close: () => transport.close().finally(kill) };
    },

    async connect(server) {
      const transport = createTransport(OPTIONS);
      const remote = await transport.dial(`nats://${server}/bench`);
      return {
        call: (request) => transport.send(remote, 'echo', request),
        async stream(take) {
          for await (const { length } of await transport.send(remote, 'chunks', NOTHING))
            if (!take(length)) return;
        },
        close: () => transport.close(),
      };
    },
  },
};

/**
 * Publishes chunks to `to` while there is credit, which comes at `credits`: '0' ends the stream.
 */
function stream(client: NatsConnection, to: string, credits: string): void {
  const chunk = new Uint8Array(CHUNK);
  let left = CREDIT;
  const pump = () => {
    for (; left >= CHUNK; left -= CHUNK) client.publish(to, chunk);
  };
  const subscription = client.subscribe(`${credits}.more`, {
    callback: (_error, message) => {
      const units = Number(message.string());
      if (units === 0) return subscription.unsubscribe();
      left += units;
      pump();
    },
  });
  pump();
}
