// Presence as the status of peers. A new connection receives the current status, and a closed
// connection removes it. Only connected peers learn of it, so this suits networks in which all
// nodes are connected.

import type { Peers } from 'trunkline/peers';
import type { Entry, Table } from './table.ts';

export function byStatus(peers: Peers<Entry>, table: Table) {
  void follow(peers, table);
  return { tell: (entry: Entry) => peers.status.set(entry), close: async () => {} };
}

async function follow(peers: Peers<Entry>, table: Table): Promise<void> {
  for await (const event of peers.events()) {
    if (event.type === 'up' && event.peer.status !== undefined)
      table.set(event.peer.nodeId, event.peer.status);
    if (event.type === 'status' && event.status !== undefined)
      table.set(event.nodeId, event.status);
    if (event.type === 'down' || (event.type === 'status' && event.status === undefined))
      table.delete(event.nodeId);
  }
}
