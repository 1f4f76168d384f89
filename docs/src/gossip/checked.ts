import type { Gossip } from '@trunkline/gossip';
import { json } from '@trunkline/transport-core';
import { z } from 'zod';

const block = json(z.object({ height: z.int(), entries: z.array(z.string()) }));

/** Blocks that are neither known nor far behind. */
export function openBlocks(gossip: Gossip, tip: number) {
  const blocks = gossip.topic('blocks', block, {
    limit: 16 * 1024 * 1024,
    validate: ({ height }) => (height > tip ? 'accept' : height > tip - 100 ? 'ignore' : 'reject'),
  });
  return blocks;
}
