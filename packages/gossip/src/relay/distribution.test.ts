// Tests of sending a message in parts when relays fail.

import { seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import type { RelayReport } from '../wire/relay-frames.ts';
import { Distribution } from './distribution.ts';
import type { Part } from './plan.ts';
import { RelayBuffer } from './relay-buffer.ts';

interface Upload {
  readonly part: Part;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly signal: AbortSignal;
  answer(report: Partial<RelayReport>): Promise<void>;
  fail(): Promise<void>;
}

function scene(
  nodes: number,
  unreachable: readonly string[] = [],
  buffer = new RelayBuffer(new Uint8Array(10), 10),
) {
  const uploads: Upload[] = [];
  const missed: string[] = [];
  const scene = { now: 0, uploads, missed, buffer };
  const distribution = new Distribution(buffer, {
    fanout: 2,
    stall: 1_000,
    random: seededRandom(1),
    now: () => scene.now,
    reaches: (nodeId) => !unreachable.includes(nodeId),
    upload: (part, chunks, signal) =>
      new Promise((resolve, reject) => {
        const answer = (report: Partial<RelayReport>) =>
          Promise.resolve(resolve({ outcome: 'took', missed: [], ...report }));
        const fail = () => Promise.resolve(reject(new Error('failed')));
        uploads.push({ part, chunks: chunks[Symbol.asyncIterator](), signal, answer, fail });
      }),
    missed: (nodeIds) => missed.push(...nodeIds),
    changed: () => {},
  });
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  distribution.send(names);
  return Object.assign(scene, { distribution, names });
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const members = ({ part: { relay, rest } }: Upload) => [relay, ...rest];

test('every node that answers has the message, and it is settled when all have answered', async (t) => {
  const { distribution, uploads, missed, names } = scene(7);
  let settled = false;
  void distribution.settled().then(() => (settled = true));
  t.is(uploads.length, 2);
  t.deepEqual(uploads.flatMap(members).sort(), names);
  await uploads[0]!.answer({});
  await turn();
  t.false(settled);
  await uploads[1]!.answer({ missed: [uploads[1]!.part.rest[0]!, 'somebody else'] });
  await turn();
  t.true(settled);
  t.deepEqual(missed, [uploads[1]!.part.rest[0]!], 'only its own part');
});

test('if a relay fails, others take over its part, and the relay is missed', async (t) => {
  const { uploads, missed } = scene(8);
  const [first] = uploads as [Upload];
  await first.fail();
  await turn();
  t.deepEqual(missed, [first.part.relay]);
  t.is(uploads.length, 4);
  t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...first.part.rest].sort());
});

test('if a relay has the message already, or gets it from another, others take over, and the relay is not missed', async (t) => {
  for (const outcome of ['had', 'busy'] as const) {
    const { uploads, missed } = scene(8);
    const [first] = uploads as [Upload];
    await first.answer({ outcome });
    await turn();
    t.deepEqual(missed, []);
    t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...first.part.rest].sort());
  }
});

test('a node that cannot be reached is missed, and is in no other part', (t) => {
  const { uploads, missed } = scene(6, ['n1', 'n4']);
  t.deepEqual(missed, ['n1', 'n4']);
  t.deepEqual(uploads.flatMap(members).sort(), ['n0', 'n2', 'n3', 'n5']);
});

test('a relay that reads nothing is given up; one that has it all but is silent gets longer, and then its part is missed', async (t) => {
  const scenery = scene(6);
  const { distribution, uploads, missed } = scenery;
  const [stuck, mute] = uploads as [Upload, Upload];
  await mute.chunks.next();
  await mute.chunks.next();
  t.is(distribution.due, 1_000);
  distribution.wake((scenery.now = 1_000));
  t.true(stuck.signal.aborted);
  t.false(mute.signal.aborted);
  t.deepEqual(missed, [stuck.part.relay]);
  t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...stuck.part.rest].sort());
  distribution.wake((scenery.now = 1_001));
  t.true(mute.signal.aborted);
  t.deepEqual(missed.slice(1).sort(), members(mute).sort());
});

test('nobody is blamed for a message that does not reach this node', async (t) => {
  const scenery = scene(6, [], new RelayBuffer(new Uint8Array(10)));
  const { distribution, uploads, missed, buffer, names } = scenery;
  const asked = uploads.map(({ chunks }) => chunks.next());
  distribution.wake((scenery.now = 60_000));
  t.true(uploads.every(({ signal }) => !signal.aborted));
  buffer.fail(new Error('it will not'));
  for (const each of asked) await t.throwsAsync(each);
  for (const upload of uploads) await upload.fail();
  await turn();
  t.true(distribution.isSettled);
  t.deepEqual(missed.sort(), names);
  t.is(uploads.length, 2, 'nothing is left to take over');
});

test('a relay that reads too slowly is given up, but not while there is nothing to send to it', async (t) => {
  for (const comes of ['at once', 'slowly'] as const) {
    const buffer = new RelayBuffer(new Uint8Array(1_000_000), comes === 'at once' ? 1_000_000 : 0);
    const scenery = scene(4, [], buffer);
    const { distribution, uploads } = scenery;
    const [slow] = uploads as [Upload];
    let chunk = slow.chunks.next();
    for (let i = 0; i < 10 && !slow.signal.aborted; i++) {
      scenery.now += 900;
      if (comes === 'slowly') buffer.append(new Uint8Array(32 * 1024));
      await chunk;
      chunk = slow.chunks.next();
      distribution.wake(scenery.now);
    }
    t.deepEqual(
      [slow.signal.aborted, scenery.now],
      comes === 'at once' ? [true, 3_600] : [false, 9_000],
    );
  }
});
