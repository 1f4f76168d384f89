// Several instances of a service behind one name, and a client.

import { nats } from '@trunkline/transport-nats';
import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

export const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: {
    place: { id: 1, request: json(z.object({ item: z.string() })), response: json(z.string()) },
    watch: { id: 2, request: json(z.null()), download: json(z.string()) },
  },
});

/** Starts one instance. Start as many as you like, anywhere: a dial reaches one of them. */
export async function instance(server: string, id: string) {
  const transport = createTransport(`nats://${server}/orders`, {
    protocol: orders,
    backends: [nats()],
  });
  serve(transport, {
    place: ({ item }) => `${id} sends ${item}`,
    async *watch() {
      for (const item of ['apples', 'pears']) yield `${id} sells ${item}`;
    },
  });
  await transport.listen();
  return transport;
}

/** A program that calls whichever instance is there. */
export async function order(server: string, item: string): Promise<string> {
  const client = createTransport({ protocol: orders, backends: [nats()] });
  try {
    return await client.send(`nats://${server}/orders`, 'place', { item });
  } finally {
    await client.close();
  }
}
