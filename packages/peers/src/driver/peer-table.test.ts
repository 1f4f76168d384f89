// Tests of the table of peers.

import type { Remote } from '@trunkline/transport-core';
import test from 'ava';
import { idOf } from '../testing/cluster.ts';
import { type Peer, PeerTable } from './peer-table.ts';

test('a peer that was replaced counts neither against maxInbound nor against its network', (t) => {
  const table = new PeerTable(idOf('me'));
  const remote = { direction: 'in' } as Remote;
  const main = { remote, dialed: undefined, lasting: true, received: 0 };
  const here = { nodeId: idOf('other'), exempt: false, group: '1.2.0.0', leaving: false };
  const peer = { ...here, links: [], main } as unknown as Peer;
  table.add(peer, main);
  t.deepEqual([table.count('in'), table.count('in', '1.2.0.0'), table.count('in', '3')], [1, 1, 0]);
  peer.leaving = true;
  t.deepEqual([table.count('in'), table.count('in', '1.2.0.0')], [0, 0]);
});
