// A peer that encodes the messages of gossip by itself, so that tests can send anything.

import { concatBytes } from '@noble/hashes/utils.js';
import { createPeers } from '@trunkline/peers';
import type { Simulation } from '@trunkline/simulation';
import { encodeList, sealList } from '../discovery/tags.ts';
import type { Audience, Body, Signature } from '../overlay/overlay.ts';
import type { Control } from '../plumtree/message.ts';
import { gossipProtocol, topicKey } from '../protocol.ts';
import { type MessageSigner, signedContent } from '../signatures/signatures.ts';
import { decodeControl, encodePush } from '../wire/frame.ts';
import { idle, idOf, words } from './cluster.ts';

export type RawPeer = Awaited<ReturnType<typeof rawPeer>>;

/**
 * Creates a raw peer, connects it as a peer of the node `to`, and records what is sent to it.
 * `addresses` are the nodes that it names to nodes that ask it for others on a topic.
 */
export async function rawPeer(
  sim: Pick<Simulation, 'client' | 'settle' | 'until'>,
  {
    name = 'stranger',
    nodeId = idOf(name),
    topics = ['news'] as readonly string[],
    to = 'a',
    addresses = [] as readonly unknown[],
  } = {},
) {
  const transport = sim.client(idle, { name });
  const peers = createPeers({ transport, identity: { nodeId }, maxOutbound: 0, persistent: [to] });
  const talk = transport.mount(gossipProtocol);
  /** Plumtree control messages that were sent to it. */
  const controlled: Control[] = [];
  let list = { seq: 1, topics, more: 0 };
  let pulls = 0;
  let asks = 0;
  const answer = (question: Uint8Array) => {
    const between = { teller: nodeId, hearer: peers.list()[0]!.nodeId };
    const keys = list.topics.map((topic) => topicKey(topic).bytes);
    const told = encodeList(between, question, list.seq, keys, transport.random)!;
    return sealList(
      question,
      concatBytes(told.subarray(0, 24), new Uint8Array(16 * list.more), told.subarray(24)),
    );
  };
  void (async () => {
    for await (const rpc of talk.consumer()) {
      if (rpc.method === 'pull') {
        pulls++;
        rpc.respond(answer(rpc.request));
      } else if (rpc.method === 'ask') {
        asks++;
        rpc.respond({ addresses: [...addresses] });
      } else if (rpc.method === 'control') controlled.push(decodeControl(rpc.request)!.control);
    }
  })();
  await sim.settle(peers.start());
  await sim.until(() => peers.list().length === 1, 10_000);
  const { remote } = peers.list()[0]!;
  return {
    nodeId,
    peers,
    transport,
    talk,
    remote,
    /** Returns the number of times that its list of topics was pulled. */
    pulls: () => pulls,
    /** Returns the number of times that it was asked for nodes on its topics. */
    asks: () => asks,
    controlled,
    /**
     * Announces a list of topics under a new number. The list begins with `more` tags that no node
     * knows.
     */
    say: (seq: number, topics: readonly string[], more = 0) => {
      list = { seq, topics, more };
      talk.trySend(remote, 'interest', { seq, empty: false });
    },
    push: (...frames: readonly Uint8Array[]) => {
      for (const frame of frames) talk.trySend(remote, 'push', frame);
    },
    /** Becomes a neighbor in the partial view of a topic. */
    join: (topic = 'news') =>
      void talk.trySend(remote, 'view', {
        topic: topicKey(topic).hex,
        message: { type: 'join', request: 1 },
      }),
  };
}

/** The fields of a message that are not as usual. */
export type Forgery = NonNullable<Parameters<typeof frame>[0]>;

/**
 * Encodes a message of the raw peer or its signer, with the given fields changed. Without a
 * `signer` it is not signed; `signature` replaces the signer's.
 */
export function frame({
  topic = 'news',
  signer = undefined as MessageSigner | undefined,
  origin = undefined as string | undefined,
  sequence = 0,
  epoch = 1,
  hops = 1,
  audience = 'all' as Audience,
  nodes = [] as readonly string[],
  payload = said,
  signature = undefined as Signature | undefined,
} = {}): Uint8Array {
  const id = { origin: origin ?? signer?.nodeId ?? idOf('stranger'), epoch, sequence };
  const key = topicKey(topic).bytes;
  const plain: Body = { audience, nodes, payload, message: undefined };
  const own = signer && {
    publicKey: signer.publicKey,
    bytes: signer.sign(signedContent(key, id, plain)),
  };
  const body = { ...plain, signature: signature ?? own };
  return encodePush(key, { kind: 'push', id, hops, payload: body, size: payload.length });
}

const said = words.encode('said');
