// The adapter of a NATS server: one process publishes to it, and the others are subscribed.

import { connect } from '@nats-io/transport-node';
import { startNatsServer, unable } from '@trunkline/local-nats';
import type { Kind } from './kind.ts';

export const nats: Kind = {
  plan: (nodes) => Array.from({ length: nodes }, () => []),
  isReady: (links) => links.every((count) => count === 1),
  server: {
    isInstalled: () => unable() === undefined,
    async start() {
      const { address, process, kill } = await startNatsServer();
      return { address, pid: process.pid!, stop: () => void kill() };
    },
  },

  async open({ dials: [server] }, received) {
    let copies = 0;
    const client = await connect({ servers: server!, noEcho: true });
    client.subscribe(SUBJECT, {
      callback: (_error, { data }) => {
        copies++;
        received(data);
      },
    });
    await client.flush();
    return {
      address: '',
      links: () => 1,
      publish: (message) => client.publish(SUBJECT, message),
      traffic() {
        const { inBytes, outBytes } = client.stats();
        return { copies, bytes: inBytes + outBytes };
      },
      close: () => client.close(),
    };
  },
};

const SUBJECT = 'bench';
