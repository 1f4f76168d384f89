// The adapter of a NATS server: one process publishes to it, and the others are subscribed.

import type { Kind } from './kind.ts';
import { NatsClient } from './nats-client.ts';
import { isInstalled, startServer } from './nats-server.ts';

export const nats: Kind = {
  title: 'nats: through a server',
  plan: (nodes) => Array.from({ length: nodes }, () => []),
  isReady: (links) => links.every((count) => count === 1),
  server: { isInstalled, start: () => startServer() },

  async open({ dials: [server] }, received) {
    let copies = 0;
    const client = await NatsClient.connect(server!, (message) => {
      copies++;
      received(message);
    });
    await client.subscribe(SUBJECT);
    return {
      address: '',
      links: () => 1,
      publish: (message) => client.publish(SUBJECT, message),
      traffic: () => ({ copies, bytes: client.bytes }),
      close: () => client.close(),
    };
  },
};

const SUBJECT = 'bench';
