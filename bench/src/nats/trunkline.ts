// Trunkline over NATS: the same requests and a download.

import { startNatsServer } from '@trunkline/local-nats';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { nats } from '@trunkline/transport-nats';
import type { Adapters } from '../adapters/adapter.ts';
import { CHUNK } from './bare.ts';

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
