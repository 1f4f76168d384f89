// Tests of finding the peer behind a connection.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { ConnectedMembers } from './members.ts';

test('a connection without a proven id does not speak for a proven peer, even with its instance', (t) => {
  const peer = { nodeId: 'b', instance: '1', proven: true, remote: { nodeId: 'b', instance: '1' } };
  const peers = { list: () => [peer], get: () => peer };
  const config = { transport: { clock: createManualClock() }, outbound: {} };
  const driver = { peers, sessions: new Map(), connected: () => {} };
  const members = new ConnectedMembers(config as never, driver as never);
  t.is(members.of(peer.remote as never)!.nodeId, 'b');
  t.is(members.of({ instance: '1' } as never), undefined);
});
