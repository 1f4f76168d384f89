// Tests of relaying at one node: which messages it relays, refuses, answers and repairs.

import { setImmediate as settled } from 'node:timers/promises';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import { topicKey } from '../protocol.ts';
import {
  decodeHead,
  decodeReceipt,
  decodeReport,
  type Envelope,
  encodeHead,
  encodePush,
  encodeReport,
  type RelayHead,
} from '../wire/frame.ts';
import { type RelaySetup, Relays } from './relay-driver.ts';
import type { Upload } from './relay-transfers.ts';

const topic = topicKey('blobs');
const idOf = (i: number) => i.toString(16).padStart(64, '0');
const SELF = idOf(0);
const PEERS = Array.from({ length: 6 }, (_, i) => idOf(i + 1));
const CONFIG = { above: 100, fanout: 2, memory: 4_000, stall: 1_000 };

/** A message of node `origin`, and its head for a relay. */
function message(origin: string, sequence = 1, size = 1_000, rest: readonly string[] = []) {
  const body: Body = { audience: 'all', nodes: [], payload: new Uint8Array(size), message: null };
  const id = { origin, epoch: 0, sequence };
  const push = { kind: 'push', id, hops: 1, payload: body, size } as const;
  const frame = encodePush(topic.bytes, push);
  const head: RelayHead = { topic: topic.hex, id, hops: 1, size: frame.length, rest };
  return { push, frame, head };
}

/** The chunks of a download, as a test gives them. */
function source() {
  const asking: ((item: IteratorResult<Uint8Array, undefined>) => void)[] = [];
  const settle = async (item: IteratorResult<Uint8Array, undefined>) => {
    asking.shift()!(item);
    await settled();
  };
  const made = {
    isReturned: false,
    give: (value: Uint8Array) => settle({ done: false, value }),
    end: () => settle({ done: true, value: undefined }),
    next: () =>
      new Promise<IteratorResult<Uint8Array, undefined>>((resolve) => asking.push(resolve)),
    return: async () => {
      made.isReturned = true;
      return { done: true, value: undefined } as const;
    },
    [Symbol.asyncIterator]: () => made,
  };
  return made;
}

interface Sent {
  readonly to: string;
  readonly head: RelayHead;
  readonly upload: Upload;
  readonly resolve: (report: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

function scene(accepts = () => true, known: object = {}) {
  const time = { now: 0 };
  const uploads: Sent[] = [];
  const blamed: string[] = [];
  const repaired: string[] = [];
  const confirmed: (readonly [to: string, receipt: unknown])[] = [];
  const delivered: Envelope[] = [];
  const session = {
    isMember: true,
    limit: 10_000,
    look: () => 'new',
    relayed: (_: string, envelope: Envelope) => {
      delivered.push(envelope);
      return accepts();
    },
    ...known,
  };
  const setup = {
    self: SELF,
    mount: {
      random: seededRandom(1),
      clock: { now: () => time.now },
      send: (to: string, _: string, head: Uint8Array, { upload }: { readonly upload: Upload }) =>
        new Promise<Uint8Array>((resolve, reject) => {
          uploads.push({ to, head: decodeHead(head)!, upload, resolve, reject });
        }),
    },
    peers: { report: (peer: string) => blamed.push(peer) },
    members: {
      remoteOf: (nodeId: string) => nodeId,
      isOn: () => true,
      push: (to: string) => void repaired.push(to),
      acknowledge: (to: string, receipt: Uint8Array) =>
        confirmed.push([to, decodeReceipt(receipt)]),
    },
    sessions: new Map([[topic.hex, session]]),
    dueBy: () => {},
  } as unknown as RelaySetup;
  const relays = new Relays(setup, CONFIG);
  const send = (own: ReturnType<typeof message>, to: readonly string[] = PEERS) =>
    relays.send(topic, own.push, to);
  const answer = (upload: Sent) => {
    upload.resolve(encodeReport({ outcome: 'took', missed: [] }));
    return settled();
  };
  const offer = (head: RelayHead | Uint8Array, from = PEERS[0]!, chunks = source()) =>
    relays.receive(from, head instanceof Uint8Array ? head : encodeHead(head), chunks);
  /** Returns the outcome of an offer, or the code of the error with which it is refused. */
  const outcome = (...offered: Parameters<typeof offer>) =>
    offer(...offered).then(
      (report) => decodeReport(report)!.outcome as string,
      ({ code, message }) => (code ?? message) as string,
    );
  /** Lets a peer send a whole message of its own, and returns the outcome. */
  const bring = async ({ head, frame }: ReturnType<typeof message>) => {
    const chunks = source();
    const result = outcome(head, head.id.origin, chunks);
    await chunks.give(frame);
    await chunks.end();
    return result;
  };
  const wake = (now: number) => {
    time.now = now;
    relays.wake(now);
  };
  const seen = { uploads, blamed, repaired, confirmed, delivered };
  return { relays, time, send, answer, offer, outcome, bring, wake, ...seen };
}

const none = { messages: 0, bytes: 0 };

test('long messages to more receivers than the fanout are relayed, as long as there is memory', (t) => {
  const { relays, send, uploads } = scene();
  t.false(send(message(SELF, 1, 100)));
  t.false(send(message(SELF), PEERS.slice(0, 2)));
  t.deepEqual(uploads, []);
  const own = message(SELF);
  t.true(send(own));
  t.is(uploads.length, 2);
  t.deepEqual(relays.snapshot().own, { messages: 1, bytes: own.frame.length });
  t.deepEqual(relays.unsent(PEERS[0]!), { messages: 1, bytes: own.frame.length });
  const left = 4_000 - own.frame.length;
  t.false(send(message(SELF, 2, left - (own.frame.length - 1_000) + 1)));
  t.true(send(message(SELF, 2, left - (own.frame.length - 1_000))));
});

test('a message is over when all receivers have confirmed it and all uploads have been answered', async (t) => {
  const { relays, send, answer, uploads } = scene();
  const own = message(SELF);
  send(own);
  for (const from of PEERS) relays.confirmed({ topic: topic.hex, id: own.push.id }, from);
  t.is(relays.snapshot().own.messages, 1);
  for (const upload of uploads) await answer(upload);
  t.deepEqual(relays.snapshot(), { own: none, others: none, repaired: 0 });
  t.is(relays.due, Number.POSITIVE_INFINITY);
});

test('receivers that do not confirm a message in time are sent it directly, and those that are gone are not', async (t) => {
  const { relays, send, answer, wake, uploads, repaired } = scene();
  send(message(SELF));
  for (const upload of uploads) await answer(upload);
  relays.gone(PEERS[0]!);
  wake(900);
  t.deepEqual(repaired, []);
  wake(relays.due);
  t.deepEqual(repaired, PEERS.slice(1));
  t.deepEqual(relays.snapshot(), { own: none, others: none, repaired: 5 });
});

test('a message of another node is passed on while it comes, delivered, acknowledged, and then answered', async (t) => {
  const { relays, offer, outcome, uploads, confirmed, delivered } = scene();
  const [origin, relay, next] = PEERS as [string, string, string];
  const { head, frame } = message(origin, 1, 1_000, [next]);
  const chunks = source();
  const report = offer(head, relay, chunks);
  const [upload] = uploads as [Sent];
  t.deepEqual([upload.to, upload.head], [next, { ...head, hops: 2, rest: [] }]);
  const pulled = upload.upload.next();
  await chunks.give(frame.subarray(0, 500));
  t.deepEqual((await pulled).value, frame.subarray(0, 500));
  t.is(await outcome(head), 'busy', 'another relay brings it, too');
  await chunks.give(frame.subarray(500));
  await chunks.end();
  t.is(delivered.length, 1);
  t.deepEqual(confirmed, [[origin, { topic: topic.hex, id: head.id }]]);
  upload.reject(new Error('no'));
  t.deepEqual(decodeReport(await report), { outcome: 'took', missed: [next] });
  t.deepEqual(relays.snapshot().others, none);
  t.is(await outcome(head), 'had', 'it is here now');
  t.is(confirmed.length, 2);
});

test('a message that its topic refused is not acknowledged', async (t) => {
  const { relays, offer, bring, confirmed } = scene(() => false);
  const own = message(PEERS[0]!);
  t.is(await bring(own), 'took');
  t.deepEqual(confirmed, []);
  void offer(own.head);
  t.is(relays.snapshot().others.messages, 1, 'the true one may still come');
});

test('another message than its head announces is not delivered, and only its publisher is to blame', async (t) => {
  const { outcome, bring, blamed, delivered } = scene();
  const [own, other] = [message(PEERS[0]!), message(PEERS[0]!, 2)];
  t.is(await bring({ ...own, frame: other.frame }), 'took');
  t.deepEqual([delivered, blamed], [[], [PEERS[0]]]);
  const chunks = source();
  const relayed = outcome(own.head, PEERS[1], chunks);
  await chunks.give(other.frame);
  await chunks.end();
  t.is(await relayed, 'took');
  t.deepEqual([delivered, blamed], [[], [PEERS[0]]]);
});

test('a message whose delivery throws is refused, and nothing of it stays', async (t) => {
  const { relays, bring } = scene(() => {
    throw new Error('a verify that throws');
  });
  t.is(await bring(message(PEERS[0]!)), 'a verify that throws');
  t.deepEqual(relays.snapshot(), { own: none, others: none, repaired: 0 });
});

test('an offer that is malformed, of an unknown topic, too long, or beyond the memory is refused', async (t) => {
  const { outcome, blamed } = scene();
  const [from, origin] = PEERS as [string, string];
  t.is(await outcome(new Uint8Array(3)), 'invalid_argument');
  for (const rest of [[SELF], [from], [origin]])
    t.is(await outcome(message(origin, 1, 1_000, rest).head), 'invalid_argument');
  t.deepEqual(blamed, [from, from, from, from]);
  const { head } = message(from);
  t.is(await outcome({ ...head, topic: topicKey('another').hex }), 'not_found');
  t.is(await outcome({ ...head, size: 100_000 }), 'resource_exhausted');
  t.is(await outcome({ ...head, size: 4_001 }), 'resource_exhausted');
  t.is(await outcome(message(SELF).head), 'had');
});

test('a message that the topic has seen is acknowledged again; one of a life that is over is refused if its publisher has restarted', async (t) => {
  const { head } = message(PEERS[0]!);
  const seen = scene(undefined, { look: () => 'seen' });
  t.is(await seen.outcome(head), 'had');
  t.deepEqual(seen.confirmed, [[PEERS[0], { topic: topic.hex, id: head.id }]]);
  const life = { lifeOf: (nodeId: string) => (nodeId === PEERS[0] ? 1 : undefined) };
  const restarted = scene(undefined, { look: () => 'old', life });
  t.is(await restarted.outcome(head), 'failed_precondition');
  t.is(await scene(undefined, { isMember: false }).outcome(head), 'not_found');
});

test('a download that is too slow, too long or too short is refused, and nothing of it stays', async (t) => {
  const { relays, outcome, time, wake, blamed } = scene();
  const { head, frame } = message(PEERS[0]!);
  const [slow, long, short] = [source(), source(), source()];
  const late = outcome(head, PEERS[0], slow);
  time.now = 500;
  await slow.give(new Uint8Array());
  t.is(relays.due, 1_000);
  wake(1_000);
  t.is(await late, 'deadline_exceeded');
  t.true(slow.isReturned);
  const more = outcome(head, PEERS[0], long);
  await long.give(frame);
  await long.give(Uint8Array.of(1));
  t.is(await more, 'invalid_argument');
  t.deepEqual(blamed, [PEERS[0]]);
  const less = outcome(head, PEERS[0], short);
  await short.end();
  t.is(await less, 'invalid_argument');
  t.deepEqual(relays.snapshot().others, none);
});

test('closing ends all transfers, and nothing is repaired', async (t) => {
  const { relays, send, outcome, uploads } = scene();
  send(message(SELF));
  const chunks = source();
  const refused = outcome(message(PEERS[0]!).head, PEERS[0], chunks);
  relays.close();
  t.is(await refused, 'unavailable');
  t.true(chunks.isReturned && uploads.every(({ upload }) => upload.signal.aborted));
  t.deepEqual(relays.snapshot(), { own: none, others: none, repaired: 0 });
});
