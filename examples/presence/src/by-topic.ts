// Presence as a topic. It reaches thousands of nodes, each connected to a few. A topic remembers
// nothing, so every node repeats its status, neighbors greet a newcomer, and a node that is silent
// for three times the interval counts as gone.

import { json } from 'trunkline';
import type { MeshNode } from 'trunkline/mesh';
import { z } from 'zod';
import { Entry, type Table } from './table.ts';

/** @param every milliseconds between two messages of each node. */
export function byTopic(node: MeshNode, table: Table, every: number) {
  const { gossip, transport } = node;
  const { clock } = transport;
  const topic = gossip.topic('presence', json(z.nullable(Entry))); // Null means goodbye.
  const lastHeard = new Map<string, number>();
  const over = new AbortController();
  let own: Entry | undefined;
  // A failure does not matter, because the next message follows soon.
  const say = (message: Entry | null) => topic.publish(message).catch(() => {});
  const went = (nodeId: string) => {
    lastHeard.delete(nodeId);
    table.delete(nodeId);
  };
  topic.subscribe((entry, { origin }) => {
    if (entry === null) return went(origin);
    lastHeard.set(origin, clock.now());
    table.set(origin, entry);
  });
  void (async () => {
    for await (const { type } of gossip.events())
      if (type === 'neighborUp' && own !== undefined) void say(own);
  })();
  void (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(every, over.signal).catch(() => {});
      for (const [nodeId, at] of lastHeard) if (clock.now() - at > 3 * every) went(nodeId);
      if (own !== undefined && !over.signal.aborted) void say(own);
    }
  })();
  return {
    tell: (entry: Entry) => void say((own = entry)),
    async close() {
      over.abort();
      await say(null);
    },
  };
}
