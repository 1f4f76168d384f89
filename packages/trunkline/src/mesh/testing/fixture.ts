// Nodes of a test, which are closed after it.

import { json } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import type { MeshNode } from '../../index.mesh.ts';
import { defineProtocol } from '../../index.ts';

export const greeter = defineProtocol({
  name: 'greeter',
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
export const handlers = { greet: (name: string) => `Hello, ${name}!` };
export const text = json(z.string());

/** Returns an address in memory that no other test has. */
export function addressOf(t: ExecutionContext, name: string): string {
  return `inmem://${`${t.title} ${name}`.replace(/\W+/g, '-')}`;
}

/** Closes the node after the test, and returns it. */
export function closing<N extends MeshNode>(t: ExecutionContext, node: N): N {
  t.teardown(() => node.close());
  return node;
}

/** Waits until the node has `count` neighbors on the topic. */
export async function neighbors(node: MeshNode, topic: string, count = 1): Promise<void> {
  for await (const _ of node.gossip.events())
    if ((node.topics[topic]?.neighbors ?? []).length >= count) return;
}

/** Returns the first item. */
export async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error('the stream ended without an item');
}
