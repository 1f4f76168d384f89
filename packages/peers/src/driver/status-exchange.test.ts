// Tests of the limit on pulls of a peer's status.

import { bytes } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { encodeStatus, type PeersMount } from '../protocol.ts';
import { StatusExchange } from './conversation.ts';
import type { Node } from './node.ts';
import type { Peer } from './peer-table.ts';

for (const proven of [true, false]) {
  test(`a peer that reconnects and changes its status all the time is pulled as often as ${proven ? 'one that stays, if it proved its id' : 'a new one, if it only asserts its id'}`, async (t) => {
    const nodeId = 'b'.repeat(64);
    const peer = { nodeId, proven, instance: 'i', main: { remote: {} } } as unknown as Peer;
    let seq = 0;
    let pulls = 0;
    const node = {
      now: () => 1_000,
      config: { transport: { random: seededRandom(1) }, statusInterval: 2_000, status: bytes },
      peerTable: { peers: new Map([[nodeId, peer]]), of: () => peer },
      statuses: new Map(),
      events: { tell() {} },
    } as unknown as Node;
    const send = async () => {
      pulls++;
      return encodeStatus(seq, Uint8Array.of(seq));
    };
    const mount = { trySend: () => true, send } as unknown as PeersMount;
    const statuses = new StatusExchange(node, mount);
    for (let session = 0; session < 4; session++) {
      statuses.connected(peer, 1_000);
      for (let i = 0; i < 50; i++) {
        statuses.heard(++seq, peer.main.remote);
        for (let turn = 0; turn < 5; turn++) await undefined;
      }
      statuses.gone(peer, 1_000);
    }
    t.is(pulls, proven ? 64 : 200);
  });
}
