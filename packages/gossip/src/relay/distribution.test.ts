// Tests of sending a message in parts when relays fail.

import { OutputQueue } from '@trunkline/peers/internal';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { RelayReport } from '../wire/frame.ts';
import { Distribution, RelayBuffer, Uploads } from './distribution.ts';
import type { RelayOutput } from './factory.ts';

interface Upload {
  readonly id: number;
  readonly relay: string;
  readonly rest: readonly string[];
  isAborted: boolean;
}

function scene(
  nodes: number,
  unreachable: readonly string[] = [],
  buffer = new RelayBuffer(new Uint8Array(10), 10),
) {
  const outputs = new OutputQueue<RelayOutput>();
  const shared = {
    config: { fanout: 2, stall: 1_000 },
    random: seededRandom(1),
    outputs,
    reaches: (nodeId: string) => !unreachable.includes(nodeId),
    uploads: new Uploads(),
  };
  const id = { origin: 'n', epoch: 0, sequence: 0 };
  const head = { topic: '', id, hops: 1, size: buffer.bytes.length };
  const distribution = new Distribution(shared, buffer, head, 0);
  const uploads: Upload[] = [];
  const missed: string[] = [];
  const others: RelayOutput[] = [];
  /** Sorts the outputs. Returns those that don't begin or abort an upload. */
  const settle = (): RelayOutput[] => {
    missed.push(...distribution.takeMissed());
    for (let output = outputs.poll(); output !== undefined; output = outputs.poll()) {
      const { upload } = output as { readonly upload: number };
      if (output.type === 'upload')
        uploads.push({ id: upload, relay: output.to, rest: output.head.rest, isAborted: false });
      else if (output.type === 'abort')
        uploads.find((each) => each.id === upload)!.isAborted = true;
      else others.push(output);
    }
    return others.splice(0);
  };
  const answer = (upload: Upload, report: Partial<RelayReport> | undefined) => {
    const whole = report && { outcome: 'took' as const, missed: [], ...report };
    distribution.answered(upload.id, whole, 0);
    return settle();
  };
  const fail = (upload: Upload, now = 0) => {
    distribution.failed(upload.id, now);
    return settle();
  };
  const pull = (upload: Upload, now = 0) => {
    distribution.pulled(upload.id, now);
    return settle();
  };
  const wake = (now: number) => {
    distribution.wake(now);
    return settle();
  };
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  distribution.send(names, 0);
  settle();
  return { distribution, names, uploads, missed, buffer, settle, answer, fail, pull, wake };
}

const members = ({ relay, rest }: Upload) => [relay, ...rest];
type Act = (made: ReturnType<typeof scene>, first: Upload) => RelayOutput[];

test('every node that answers has the message, and it is settled when all have answered', (t) => {
  const { distribution, uploads, missed, names, answer } = scene(7);
  t.is(uploads.length, 2);
  t.deepEqual(uploads.flatMap(members).sort(), names);
  answer(uploads[0]!, {});
  t.false(distribution.isSettled);
  answer(uploads[1]!, { missed: [uploads[1]!.rest[0]!, 'somebody else'] });
  t.true(distribution.isSettled);
  t.deepEqual(missed, [uploads[1]!.rest[0]!], 'only its own part');
});

for (const [what, isMissed, act] of [
  ['fails', true, ({ fail }, first) => fail(first)],
  ['sends a malformed report', true, ({ answer }, first) => answer(first, undefined)],
  ['has the message', false, ({ answer }, first) => answer(first, { outcome: 'had' })],
  ['gets it from another', false, ({ answer }, first) => answer(first, { outcome: 'busy' })],
] as const satisfies (readonly [string, boolean, Act])[])
  test(`if a relay ${what}, others take over its part; the relay itself is missed: ${isMissed}`, (t) => {
    const made = scene(8);
    const { uploads, missed } = made;
    const [first] = uploads as [Upload];
    const reports = act(made, first);
    const isMalformed = what === 'sends a malformed report';
    t.deepEqual(reports, isMalformed ? [{ type: 'misbehaved', peer: first.relay }] : []);
    t.deepEqual(missed, isMissed ? [first.relay] : []);
    t.is(uploads.length, 4);
    t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...first.rest].sort());
  });

test('a node that cannot be reached is missed, and is in no other part', (t) => {
  const { uploads, missed } = scene(6, ['n1', 'n4']);
  t.deepEqual(missed, ['n1', 'n4']);
  t.deepEqual(uploads.flatMap(members).sort(), ['n0', 'n2', 'n3', 'n5']);
});

test('a relay that reads nothing is given up; one that has it all but is silent gets longer, and then its part is missed', (t) => {
  const { distribution, uploads, missed, buffer, pull, wake } = scene(6);
  const [stuck, mute] = uploads as [Upload, Upload];
  const [write] = pull(mute);
  t.deepEqual(write, { type: 'write', upload: mute.id, chunk: new Uint8Array(10) });
  t.is(write?.type === 'write' && write.chunk.buffer, buffer.bytes.buffer, 'no copy of it');
  t.deepEqual(pull(mute), [{ type: 'finish', upload: mute.id, error: undefined }]);
  t.is(distribution.due, 1_000);
  wake(1_000);
  t.true(stuck.isAborted);
  t.false(mute.isAborted);
  t.deepEqual(missed, [stuck.relay]);
  t.deepEqual(uploads.slice(2).flatMap(members).sort(), [...stuck.rest].sort());
  wake(1_001);
  t.true(mute.isAborted);
  t.deepEqual(missed.slice(1).sort(), members(mute).sort());
});

test('nobody is blamed for a message that does not reach this node', (t) => {
  const { distribution, uploads, missed, buffer, names, ...scenery } = scene(
    6,
    [],
    new RelayBuffer(new Uint8Array(10)),
  );
  for (const upload of uploads) t.deepEqual(scenery.pull(upload), []);
  scenery.wake(60_000);
  t.true(uploads.every(({ isAborted }) => !isAborted));
  const error = new Error('it will not');
  buffer.fail(error);
  distribution.arrived(60_000);
  t.deepEqual(
    scenery.settle(),
    uploads.map(({ id }) => ({ type: 'finish', upload: id, error })),
  );
  for (const upload of [...uploads]) scenery.fail(upload, 60_000);
  t.true(distribution.isSettled);
  t.deepEqual(missed.sort(), names);
  t.is(uploads.length, 2, 'nothing is left to take over');
});

test('a relay that reads too slowly is given up, but not while there is nothing to send to it', (t) => {
  for (const comes of ['at once', 'slowly'] as const) {
    const buffer = new RelayBuffer(new Uint8Array(1_000_000), comes === 'at once' ? 1_000_000 : 0);
    const { distribution, uploads, pull, wake } = scene(4, [], buffer);
    const [slow] = uploads as [Upload];
    pull(slow);
    let now = 0;
    for (let i = 0; i < 10 && !slow.isAborted; i++) {
      now += 900;
      if (comes === 'slowly') {
        buffer.append(new Uint8Array(32 * 1024));
        distribution.arrived(now);
      }
      pull(slow, now);
      wake(now);
    }
    t.deepEqual([slow.isAborted, now], comes === 'at once' ? [true, 3_600] : [false, 9_000]);
  }
});

test('the time in which a relay waited for the message does not count', (t) => {
  const buffer = new RelayBuffer(new Uint8Array(1_000_000));
  const { distribution, uploads, pull, wake } = scene(4, [], buffer);
  const [upload] = uploads as [Upload];
  pull(upload);
  buffer.append(new Uint8Array(1_000_000));
  distribution.arrived(10_000);
  wake(10_999);
  t.false(upload.isAborted);
  wake(11_000);
  t.true(upload.isAborted);
});
