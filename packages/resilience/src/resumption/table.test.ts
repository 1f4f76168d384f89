// Tests that callers share a full table fairly: a caller that holds much gives way to one that
// holds little.

import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { resumptionFailure } from './failures.ts';
import { parseResumableOptions, type ResumableOptions } from './resumable-options.ts';
import { StreamTable } from './stream-table.ts';

function tableWith(options: ResumableOptions) {
  const clock = createManualClock();
  const table = new StreamTable<number>(clock, parseResumableOptions(options));
  let streams = 0;
  const open = (nodeId: string | undefined, endpoint = 'memory') => {
    const token = String(streams++);
    const remote = { nodeId, endpoint } as never;
    const stream = table.open(token, remote);
    const reader = stream.attach(0, new AbortController().signal);
    return { stream, reader, find: () => table.find(token, remote) };
  };
  return { table, clock, open };
}

test('a newcomer gets the place of the caller with the most streams, though all are read', (t) => {
  const { table, open } = tableWith({ streams: 8, streamsPerCaller: 4 });
  const others = Array.from({ length: 8 }, (_, at) => open(at < 4 ? 'eve' : 'mallory'));
  for (let streams = 0; streams < 2; streams++) open('ada');
  t.deepEqual(
    others.map(({ find }) => find() !== undefined),
    [false, true, true, true, false, true, true, true],
    'the oldest of each',
  );
  const error = t.throws(() => open('eve'), { message: /streams 8/ });
  t.is(resumptionFailure(error), 'full', 'a caller with the most streams gets no further one');
  t.is(table.size, 8);
});

test('while there is room, a fleet behind one address keeps all of its streams', (t) => {
  const { open } = tableWith({ streams: 8, streamsPerCaller: 5 });
  const fleet = Array.from({ length: 5 }, () => open('fleet'));
  for (const other of ['ada', 'bob', 'eve']) open(other);
  t.true(fleet.every(({ find }) => find() !== undefined));
});

test('a stream that is away keeps its place while others hold more', async (t) => {
  const { clock, open } = tableWith({ streams: 6, streamsPerCaller: 3 });
  const away = open('ada');
  await away.reader.return?.();
  clock.advance(1_000);
  for (let streams = 0; streams < 5; streams++) open(streams < 3 ? 'eve' : 'mallory');
  open('bob');
  t.not(away.find(), undefined);
});

test('an ended stream gives way first, whoever opened it', async (t) => {
  const { open } = tableWith({ streams: 4, streamsPerCaller: 3 });
  const ended = open('ada');
  ended.stream.end({});
  await ended.reader.return?.();
  const read = [open('eve'), open('eve'), open('eve')];
  open('bob');
  t.is(ended.find(), undefined);
  t.true(read.every(({ find }) => find() !== undefined));
});

test('many small streams of one caller do not make others lose items', (t) => {
  const { table, open } = tableWith({ totalBytes: 1_000 });
  const { stream } = open('ada');
  for (let item = 0; item < 4; item++) void stream.write(item, 100);
  for (let streams = 0; streams < 4; streams++) {
    const own = open('eve').stream;
    for (let item = 0; item < 3; item++) void own.write(item, 100);
  }
  t.is(stream.bytes, 400);
  t.is(table.bytes, 1_000);
});

test('a stream of one large item does not keep the others from giving way', (t) => {
  const { table, open } = tableWith({ totalBytes: 1_000 });
  void open('eve').stream.write(0, 600);
  const { stream } = open('eve');
  for (let item = 0; item < 9; item++) void stream.write(item, 100);
  t.is(table.bytes, 1_000);
});

test('all addresses of an IPv6 /64 network are one caller', (t) => {
  const { open } = tableWith({ streamsPerCaller: 2 });
  for (const host of [1, 2]) open(undefined, `[2001:db8::${host}]:7000`);
  t.throws(() => open(undefined, '[2001:db8::3]:7000'), { message: /streamsPerCaller 2/ });
  t.notThrows(() => open(undefined, '[2001:db8:0:1::3]:7000'), 'another network');
});
