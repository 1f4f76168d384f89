// Starts a node of Raft in a simulation or in a process.

import type { NodeContext } from '@trunkline/simulation';
import { KeyValueStore } from '../kv.ts';
import { raftProtocol } from '../messages.ts';
import { RaftNode, type RaftNodeOptions } from '../node.ts';
import { RaftStorage } from '../storage.ts';

/**
 * Starts a node, by default with the disk of its context and an empty store of keys. Returns it
 * with a function that stops it and closes its transport.
 */
export async function startNode(
  { transport: open, store }: NodeContext,
  options: Partial<RaftNodeOptions> & Pick<RaftNodeOptions, 'members'>,
) {
  const transport = open(raftProtocol);
  await transport.listen();
  const own = { machine: new KeyValueStore(), storage: new RaftStorage(store) };
  const node = await RaftNode.start({ transport, ...own, ...options });
  const stop = async () => {
    await node.close();
    await transport.close();
  };
  return { node, stop };
}
