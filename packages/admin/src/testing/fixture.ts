// A node with administration, peers and gossip, and a tool that calls it.

import {
  createTransport,
  defineProtocol,
  json,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { type AdminOptions, type AdminSources, adminProtocol, createAdmin } from '../index.ts';

/** Transports find each other if they share the backend. */
export const backends = [inmem()];

export const greeter = defineProtocol({
  name: 'greeter',
  channel: 0x20,
  methods: {
    greet: { id: 1, request: json(z.string()), response: json(z.string()) },
    ponder: { id: 2, request: json(z.string()), response: json(z.string()) },
  },
});

/** Creates a node that greets, its admin, and a client with `admin` bound to the node. */
export async function fixture(
  t: ExecutionContext,
  options: Partial<AdminOptions> = {},
  sources: Partial<AdminSources> = {},
) {
  const address = `inmem://${t.title.replace(/\W+/g, '-')}`;
  const admin = createAdmin({ allow: () => true, ...options });
  const { observer } = admin;
  const node = createTransport(address, { protocol: greeter, backends, observer });
  serve(node, {
    greet: (name) => {
      if (name === '') throw new TransportError('not_found', 'nobody to greet\n\u001b[31m');
      return `Hello, ${name}!`;
    },
    ponder: () => new Promise<never>(() => {}),
  });
  const stop = admin.serve({ transport: node, ...sources });
  await node.listen();
  const client = createTransport({ protocol: greeter, backends });
  const tool = client.mount(adminProtocol).to(address);
  t.teardown(() => Promise.all([client.close(), node.close()]));
  return { node, client, tool, address, stop };
}

/** Returns the first item that fits. */
export async function first<T>(
  items: AsyncIterable<T>,
  fits: (item: T) => boolean = () => true,
): Promise<T> {
  for await (const item of items) if (fits(item)) return item;
  throw new Error('the stream ended without such an item');
}
