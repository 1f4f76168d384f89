// Tests of the relay machine: which messages it relays, refuses, answers and repairs.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { Body } from '../overlay/overlay.ts';
import { topicKey } from '../protocol.ts';
import { encodePush } from '../wire/frame.ts';
import type { RelayHead } from '../wire/frame.ts';
import type { RelayInput, RelayOutput } from './factory.ts';
import { Relays } from './relays.ts';

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
  return { topic, push, frame, head };
}

function scene(config = CONFIG) {
  const machine = new Relays({
    self: SELF,
    config,
    random: seededRandom(1),
    reaches: () => true,
  });
  /** Gives the machine an input, and returns the outputs. */
  const feed = (now: number, input: RelayInput): RelayOutput[] => {
    machine.handle(now, input);
    const outputs: RelayOutput[] = [];
    for (let output = machine.poll(); output !== undefined; output = machine.poll())
      outputs.push(output);
    return outputs;
  };
  const offer = (download: number, head: RelayHead | undefined, from = PEERS[0]!) =>
    feed(0, {
      type: 'offered',
      download,
      from,
      head,
      topic: { limit: 10_000, isKnown: false, needsOrigin: false },
    });
  return { machine, feed, offer };
}

const types = (outputs: readonly RelayOutput[]) => outputs.map(({ type }) => type);
const none = { messages: 0, bytes: 0 };

test('long messages to more receivers than the fanout are relayed, as long as there is memory', (t) => {
  const { machine, feed } = scene();
  t.deepEqual(
    [machine.wants(101, 3), machine.wants(100, 3), machine.wants(101, 2)],
    [true, false, false],
  );
  const own = message(SELF);
  const uploads = feed(0, { type: 'send', message: own, to: PEERS });
  t.deepEqual(types(uploads), ['upload', 'upload']);
  t.deepEqual(machine.snapshot().own, { messages: 1, bytes: own.frame.length });
  t.deepEqual(machine.unsent(PEERS[0]!), { messages: 1, bytes: own.frame.length });
  t.true(machine.hasRoom(4_000 - own.frame.length));
  t.false(machine.hasRoom(4_001 - own.frame.length));
});

test('a message is over when all receivers have confirmed it and all uploads have been answered', (t) => {
  const { machine, feed } = scene();
  const own = message(SELF);
  feed(0, { type: 'send', message: own, to: PEERS });
  const receipt = { topic: topic.hex, id: own.push.id };
  for (const from of PEERS) t.deepEqual(feed(1, { type: 'confirmed', from, receipt }), []);
  t.is(machine.snapshot().own.messages, 1);
  const report = { outcome: 'took', missed: [] } as const;
  for (const upload of [1, 2]) t.deepEqual(feed(2, { type: 'answered', upload, report }), []);
  t.deepEqual(machine.snapshot(), { own: none, others: none, repaired: 0 });
  t.is(machine.wakeAt, Number.POSITIVE_INFINITY);
});

test('receivers that do not confirm a message in time are sent it directly, and those that are gone are not', (t) => {
  const { machine, feed } = scene();
  const own = message(SELF);
  feed(0, { type: 'send', message: own, to: PEERS });
  const report = { outcome: 'took', missed: [] } as const;
  for (const upload of [1, 2]) feed(0, { type: 'answered', upload, report });
  feed(0, { type: 'peer-down', peer: PEERS[0]! });
  t.deepEqual(feed(900, { type: 'wake' }), []);
  const repairs = feed(machine.wakeAt, { type: 'wake' });
  t.deepEqual(
    repairs.map((output) => output.type === 'repair' && output.to),
    PEERS.slice(1),
  );
  t.deepEqual(machine.snapshot(), { own: none, others: none, repaired: 5 });
});

test('a message of another node is passed on while it comes, delivered, acknowledged, and then answered', (t) => {
  const { machine, feed, offer } = scene();
  const [origin, relay, next] = PEERS as [string, string, string];
  const { head, frame } = message(origin, 1, 1_000, [next]);
  t.deepEqual(offer(7, head, relay), [
    { type: 'upload', upload: 1, to: next, head: { ...head, hops: 2, rest: [] } },
    { type: 'receive', download: 7 },
  ]);
  t.deepEqual(feed(0, { type: 'pulled', upload: 1 }), []);
  const chunk = frame.subarray(0, 500);
  t.deepEqual(feed(0, { type: 'received', download: 7, chunk }), [
    { type: 'write', upload: 1, chunk },
  ]);
  t.deepEqual(types(offer(8, head)), ['answer'], 'another relay brings it, too');
  feed(0, { type: 'received', download: 7, chunk: frame.subarray(500) });
  t.deepEqual(types(feed(0, { type: 'ended', download: 7 })), ['deliver']);
  t.deepEqual(feed(0, { type: 'delivered', download: 7, isAccepted: true }), [
    { type: 'acknowledge', to: origin, receipt: { topic: topic.hex, id: head.id } },
  ]);
  t.deepEqual(feed(0, { type: 'upload-failed', upload: 1 }), [
    { type: 'answer', download: 7, report: { outcome: 'took', missed: [next] } },
  ]);
  t.deepEqual(machine.snapshot().others, none);
  t.deepEqual(types(offer(9, head)), ['acknowledge', 'answer'], 'it is here now');
});

test('a message that its topic refused is not acknowledged', (t) => {
  const { feed, offer } = scene();
  const { head, frame } = message(PEERS[0]!);
  offer(1, head);
  feed(0, { type: 'received', download: 1, chunk: frame });
  feed(0, { type: 'ended', download: 1 });
  t.deepEqual(types(feed(0, { type: 'delivered', download: 1, isAccepted: false })), ['answer']);
  t.deepEqual(types(offer(2, head)), ['receive'], 'the true one may still come');
});

test('an offer that is malformed, of an unknown topic, too long, or beyond the memory is refused', (t) => {
  const { feed, offer } = scene();
  const [from, origin] = PEERS as [string, string];
  const code = ([output]: readonly RelayOutput[]) =>
    output?.type === 'refuse' ? (output.error as { code: string }).code : output?.type;
  t.deepEqual(types(offer(1, undefined)), ['misbehaved', 'refuse']);
  for (const rest of [[SELF], [from], [origin]])
    t.deepEqual(types(offer(2, message(origin, 1, 1_000, rest).head)), ['misbehaved', 'refuse']);
  const { head } = message(from);
  const topicless = { type: 'offered', download: 3, from, head, topic: undefined } as const;
  t.is(code(feed(0, topicless)), 'not_found');
  t.is(code(offer(4, { ...head, size: 100_000 })), 'resource_exhausted');
  t.is(code(offer(5, { ...head, size: 4_001 })), 'resource_exhausted');
  t.is(code(offer(6, message(SELF).head)), 'answer');
});

test('a download that is too slow, too long or too short is refused, and nothing of it stays', (t) => {
  const { machine, feed, offer } = scene();
  const { head, frame } = message(PEERS[0]!);
  offer(1, head);
  feed(500, { type: 'received', download: 1, chunk: new Uint8Array() });
  t.is(machine.wakeAt, 1_000);
  t.deepEqual(types(feed(1_000, { type: 'wake' })), ['stop', 'refuse']);
  offer(2, head);
  feed(0, { type: 'received', download: 2, chunk: frame });
  t.deepEqual(types(feed(0, { type: 'received', download: 2, chunk: Uint8Array.of(1) })), [
    'misbehaved',
    'refuse',
  ]);
  offer(3, head);
  t.deepEqual(types(feed(0, { type: 'ended', download: 3 })), ['refuse']);
  t.deepEqual(machine.snapshot().others, none);
});

test('closing ends all transfers, and nothing is repaired', (t) => {
  const { machine, feed, offer } = scene();
  feed(0, { type: 'send', message: message(SELF), to: PEERS });
  offer(1, message(PEERS[0]!).head);
  t.deepEqual(types(feed(0, { type: 'close' })).sort(), ['abort', 'abort', 'refuse', 'stop']);
  t.deepEqual(machine.snapshot(), { own: none, others: none, repaired: 0 });
});
