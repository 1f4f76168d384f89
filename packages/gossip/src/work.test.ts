// Tests how much work of one peer gossip does in a turn of the event loop. The test drives the
// clock and the turns by hand.

import { createPeers } from '@trunkline/peers';
import { verifySignature } from '@trunkline/security';
import type { Clock, Protocol } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import test from 'ava';
import { createGossip } from './gossip.ts';
import { fullMesh } from './overlay/full-mesh.ts';
import type { SignatureOptions } from './signatures/signatures.ts';
import { idle, idOf, words } from './testing/cluster.ts';
import { identityOf } from './testing/identities.ts';
import { frame, rawPeer } from './testing/raw-peer.ts';

const author = identityOf('author');

/** Encodes a message of the author, whose content is its sequence number. */
const said = (sequence: number, signer?: typeof author) =>
  frame({
    origin: author.nodeId,
    sequence,
    payload: words.encode(String(sequence)),
    ...(signer && { signer }),
  });

/** Sets up a node on a topic, and a raw peer that is connected to it. */
async function scene(signatures?: SignatureOptions) {
  const clock = createManualClock();
  const turns: (() => void)[] = [];
  const streams = createInmemStreams({ clock });
  const make = <P extends Protocol>(protocol: P, name: string, own: Clock = clock) =>
    new NetworkTransport({ protocol, stream: streams.layer(`inmem://${name}`), clock: own });
  const transport = make(idle, 'a', { ...clock, turn: (callback) => void turns.push(callback) });
  await transport.listen();
  const peers = createPeers({ transport, identity: { nodeId: idOf('a') }, maxOutbound: 0 });
  const gossip = createGossip({ transport, peers, overlay: fullMesh(), signatures });
  const topic = gossip.topic('news', words);
  const heard: string[] = [];
  topic.subscribe((message) => void heard.push(message));
  await gossip.start();
  await peers.start();
  /** Runs everything that can run without further turns. */
  const settle = async () => {
    for (let steps = 0; steps < 20; steps++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      clock.advance(0);
    }
  };
  const until = async (condition: () => boolean) => {
    for (let steps = 0; !condition(); steps++) {
      if (steps > 10_000) throw new Error('the condition was never met');
      await settle();
      for (const turn of turns.splice(0)) turn();
      clock.advance(1);
    }
  };
  const guest = await rawPeer(
    {
      client: (protocol, { name = '' } = {}) => make(protocol, name),
      settle: async (promise) => promise,
      until,
    },
    { nodeId: author.nodeId, to: 'inmem://a' },
  );
  await until(() => topic.neighbors.length === 1);
  return {
    guest,
    heard,
    /**
     * Sends all messages in one chunk, and returns how much `count`, by default of the delivered
     * messages, grows in each turn.
     */
    async perTurn(send: () => void, count = () => heard.length): Promise<number[]> {
      const counts: number[] = [];
      send();
      for (let before = count(); ; before = count()) {
        await settle();
        counts.push(count() - before);
        const next = turns.splice(0);
        if (next.length === 0) return counts;
        for (const turn of next) turn();
      }
    },
    async close() {
      await guest.peers.close();
      await guest.transport.close();
      await gossip.close();
      await peers.close();
      await transport.close();
    },
  };
}

/**
 * True if at most `each` were counted in a turn on average. One turn may have as many again, for
 * which the next ones pay.
 */
function isSpread(counts: readonly number[], each: number): boolean {
  let sum = 0;
  return counts.every((count, turn) => {
    sum += count;
    return count <= 2 * each && sum <= each * (turn + 2);
  });
}

test('signatures that one peer makes a node verify are spread over turns, in order', async (t) => {
  const { guest, heard, perTurn, close } = await scene({ verify: verifySignature });
  const frames = Array.from({ length: 100 }, (_, sequence) => said(sequence, author));
  const counts = await perTurn(() => guest.push(...frames));
  t.true(isSpread(counts, 8), `${counts}`);
  const expected = frames.map((_, sequence) => String(sequence));
  t.deepEqual(heard, expected);
  await close();
});

test('unsigned messages and refused requests of one peer are spread over turns, too', async (t) => {
  const { guest, heard, perTurn, close } = await scene();
  const { talk, remote } = guest;
  const messages = await perTurn(() => {
    for (let sequence = 0; sequence < 500; sequence++) guest.push(said(sequence));
  });
  t.is(heard.length, 500);
  t.true(isSpread(messages, 250), `${messages}`);
  // A message of another origin than the one before costs more, also if it is then dropped.
  const dropped = await perTurn(() => {
    for (let n = 0; n < 500; n++)
      guest.push(frame({ origin: idOf(`nobody ${n}`), payload: words.encode(String(n)) }));
  });
  t.is(heard.length, 500);
  t.true(dropped.length > messages.length, `${dropped.length} turns, not ${messages.length}`);
  let refused = 0;
  const pulls = await perTurn(
    () => {
      for (let n = 0; n < 200; n++)
        talk.send(remote, 'pull', new Uint8Array(16)).catch(() => void refused++);
    },
    () => refused,
  );
  t.true(refused > 150, `${refused}`);
  t.true(isSpread(pulls, 32), `${pulls}`);
  await close();
});
