// Tests of sending a message in parts when relays fail, and of splitting its receivers into parts.

import { setImmediate as settled } from 'node:timers/promises';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { MOST_REST, type RelayReport } from '../wire/frame.ts';
import { Distribution, type RelayNode, splitRecipients, type Upload } from './relay-transfers.ts';

interface Sent {
  readonly relay: string;
  readonly rest: readonly string[];
  readonly upload: Upload;
  readonly resolve: (report: RelayReport | undefined) => void;
  readonly reject: (error: unknown) => void;
}

function scene(
  nodes: number,
  unreachable: readonly string[] = [],
  bytes = new Uint8Array(10),
  length = bytes.length,
) {
  const time = { now: 0 };
  const uploads: Sent[] = [];
  const missed: string[] = [];
  const blamed: string[] = [];
  const node: RelayNode = {
    config: { fanout: 2, stall: 1_000 },
    random: seededRandom(1),
    now: () => time.now,
    reaches: (nodeId) => !unreachable.includes(nodeId),
    upload: (relay, { rest }, upload) =>
      new Promise((resolve, reject) => {
        uploads.push({ relay, rest, upload, resolve, reject });
      }),
    repair: () => {},
    misbehaved: (peer) => blamed.push(peer),
    changed: () => missed.push(...distribution.takeMissed()),
  };
  const id = { origin: 'n', epoch: 0, sequence: 0 };
  const head = { topic: '', id, hops: 1, size: bytes.length };
  const distribution = new Distribution(node, bytes, length, head);
  const answer = (upload: Sent, report: Partial<RelayReport> | undefined) => {
    upload.resolve(report && { outcome: 'took', missed: [], ...report });
    return settled();
  };
  const fail = (upload: Sent) => {
    upload.reject(new Error('it failed'));
    return settled();
  };
  const wake = (now: number) => {
    time.now = now;
    distribution.wake(now);
    node.changed();
  };
  const names = numbered(nodes);
  distribution.send(names);
  node.changed();
  return { distribution, names, uploads, missed, blamed, bytes, time, answer, fail, wake };
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);
const members = ({ relay, rest }: Pick<Sent, 'relay' | 'rest'>) => [relay, ...rest];
const isAborted = ({ upload }: Sent) => upload.signal.aborted;
type Act = (made: ReturnType<typeof scene>, first: Sent) => Promise<void>;

test('every node that answers has the message, and it is settled when all have answered', async (t) => {
  const { distribution, uploads, missed, names, answer } = scene(7);
  t.is(uploads.length, 2);
  t.deepEqual(uploads.flatMap(members).sort(), names);
  await answer(uploads[0]!, {});
  t.false(distribution.isSettled);
  await answer(uploads[1]!, { missed: [uploads[1]!.rest[0]!, 'somebody else'] });
  t.true(distribution.isSettled);
  t.deepEqual(missed, [uploads[1]!.rest[0]!], 'only its own part');
});

for (const [what, isMissed, act] of [
  ['fails', true, ({ fail }, first) => fail(first)],
  ['sends a malformed report', true, ({ answer }, first) => answer(first, undefined)],
  ['has the message', false, ({ answer }, first) => answer(first, { outcome: 'had' })],
  ['gets it from another', false, ({ answer }, first) => answer(first, { outcome: 'busy' })],
] as const satisfies (readonly [string, boolean, Act])[])
  test(`if a relay ${what}, others take over its part; the relay itself is missed: ${isMissed}`, async (t) => {
    const made = scene(8);
    const { uploads, missed, blamed } = made;
    const [first] = uploads as [Sent];
    await act(made, first);
    t.deepEqual(blamed, what === 'sends a malformed report' ? [first.relay] : []);
    t.deepEqual(missed, isMissed ? [first.relay] : []);
    t.is(uploads.length, 4);
    t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...first.rest].sort());
  });

test('a node that cannot be reached is missed, and is in no other part', (t) => {
  const { uploads, missed } = scene(6, ['n1', 'n4']);
  t.deepEqual(missed, ['n1', 'n4']);
  t.deepEqual(uploads.flatMap(members).sort(), ['n0', 'n2', 'n3', 'n5']);
});

test('a relay that reads nothing is given up; one that has it all but is silent gets longer, and then its part is missed', async (t) => {
  const { distribution, uploads, missed, bytes, wake, fail } = scene(6);
  const [stuck, mute] = uploads as [Sent, Sent];
  const { value } = await mute.upload.next();
  t.deepEqual(value, new Uint8Array(10));
  t.is(value?.buffer, bytes.buffer, 'no copy of it');
  t.true((await mute.upload.next()).done);
  t.is(distribution.due, 1_000);
  wake(1_000);
  t.deepEqual([stuck, mute].map(isAborted), [true, false]);
  t.deepEqual(missed, [stuck.relay]);
  t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...stuck.rest].sort());
  wake(1_001);
  t.true(isAborted(mute));
  t.deepEqual(missed.slice(1).sort(), members(mute).sort());
  await fail(mute);
  t.is(missed.length, 1 + members(mute).length, 'its end changes nothing');
});

test('nobody is blamed for a message that does not reach this node', async (t) => {
  const { distribution, uploads, missed, names, wake, fail } = scene(6, [], new Uint8Array(10), 0);
  const pulls = uploads.map(({ upload }) => upload.next());
  wake(60_000);
  t.false(uploads.some(isAborted));
  const error = new Error('it will not');
  distribution.fail(error);
  for (const pull of pulls) t.is(await t.throwsAsync(pull), error);
  for (const upload of [...uploads]) await fail(upload);
  t.true(distribution.isSettled);
  t.deepEqual(missed.sort(), names);
  t.is(uploads.length, 2, 'nothing is left to take over');
});

test('a relay that reads too slowly is given up, but not while there is nothing to send to it', (t) => {
  for (const comes of ['at once', 'slowly'] as const) {
    const length = comes === 'at once' ? 1_000_000 : 0;
    const { distribution, uploads, time, wake } = scene(4, [], new Uint8Array(1_000_000), length);
    const [slow] = uploads as [Sent];
    void slow.upload.next();
    for (let i = 0; i < 10 && !isAborted(slow); i++) {
      time.now += 900;
      if (comes === 'slowly') distribution.append(new Uint8Array(32 * 1024));
      void slow.upload.next();
      wake(time.now);
    }
    t.deepEqual([isAborted(slow), time.now], comes === 'at once' ? [true, 3_600] : [false, 9_000]);
  }
});

test('the time in which a relay waited for the message does not count', (t) => {
  const { distribution, uploads, time, wake } = scene(4, [], new Uint8Array(1_000_000), 0);
  const [waiting] = uploads as [Sent];
  void waiting.upload.next();
  time.now = 10_000;
  distribution.append(new Uint8Array(1_000_000));
  wake(10_999);
  t.false(isAborted(waiting));
  wake(11_000);
  t.true(isAborted(waiting));
});

test('every node is in one part, parts differ by one at most, and there are no more parts than the fanout', (t) => {
  for (const fanout of [1, 2, 3, 7])
    for (const count of [0, 1, 2, 3, 4, 10, 39, 100]) {
      const parts = splitRecipients(numbered(count), fanout, seededRandom(count));
      t.is(parts.length, Math.min(fanout, count));
      t.deepEqual(parts.flatMap(members).sort(), numbered(count).sort());
      const sizes = parts.map(({ rest }) => rest.length);
      t.true(count === 0 || Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join(' '));
    }
});

test('the parts and their relays are random', (t) => {
  const random = seededRandom(1);
  const relays = new Set<string>();
  for (let i = 0; i < 200; i++)
    for (const { relay } of splitRecipients(numbered(10), 3, random)) relays.add(relay);
  t.is(relays.size, 10);
});

test('a list that is too long for one part makes more parts', (t) => {
  const parts = splitRecipients(numbered(5_000), 3, seededRandom(1));
  t.true(parts.length > 3);
  t.true(parts.every(({ rest }) => rest.length <= MOST_REST));
  t.is(new Set(parts.flatMap(members)).size, 5_000);
});
