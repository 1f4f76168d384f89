// Tests of recordings: they have the right content, recording changes nothing, and their size is
// bounded.

import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProtocol, serve } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { createSimulation, explore, type Recording, type Simulation } from './index.ts';
import test from './testing/serial.ts';
import { text } from './testing/test-protocol.ts';

const chat = defineProtocol({
  name: 'chat',
  version: 1,
  channel: 0x20,
  methods: { say: { id: 1, request: text, response: text, timeout: 500 } },
});

/** Runs two nodes that talk, keep the last word on disk, and log it; b never answers 'wait'. */
async function talk(sim: Simulation, milliseconds = 1_000): Promise<void> {
  sim.node('a', async ({ transport, clock, log, state }) => {
    const net = transport(chat);
    await net.listen();
    for (let i = 1; ; i++) {
      state({ said: i });
      log(`says ${i}`);
      await net.send('b', 'say', i % 3 === 0 ? 'wait' : `word ${i}`).catch(() => {});
      await clock.sleep(100);
    }
  });
  sim.node('b', async ({ transport, store }) => {
    const net = transport(chat);
    serve(net, {
      async say(word) {
        if (word === 'wait') await new Promise(() => {});
        await store.set('word', new TextEncoder().encode(word));
        if (word === 'word 1') await store.sync();
        return word;
      },
    });
    await net.listen();
  });
  await sim.run(milliseconds);
}

const link = { latency: [5, 20] } as const;

for (const level of ['message', 'stream'] as const) {
  test(`recording changes nothing that happens (${level})`, async (t) => {
    const hashes = new Set<string>();
    for (const record of [0, 100]) {
      await using sim = createSimulation({ seed: 3, level, link, record });
      await talk(sim);
      hashes.add(sim.trace.hash);
      t.is(sim.recording === undefined, record === 0);
    }
    t.is(hashes.size, 1);
  });

  test(`a message that arrives names the event in which it was sent (${level})`, async (t) => {
    const sim = createSimulation({
      seed: 3,
      level,
      link: { ...link, reorder: 0.2 },
      record: 10_000,
    });
    await talk(sim, 3_000);
    const { events } = sim.recording!;
    await sim.close();
    const sent = new Map(
      events.flatMap((event) => (event.kind === 'sent' ? [[event.event, event] as const] : [])),
    );
    const arrived = events.filter(({ kind }) => kind === 'arrived');
    t.true(arrived.length > 10, `${arrived.length}`);
    for (const { sent: number, at, from, to, what } of arrived) {
      const origin = sent.get(number)!;
      t.deepEqual([origin.from, origin.to, origin.what], [from, to, what]);
      t.true(origin.at + 5 <= at);
    }
    t.true(JSON.stringify(events).length > 100);
  });
}

test('a recording holds calls with their results, logs, states, open calls and the disk', async (t) => {
  const sim = createSimulation({ seed: 3, link, record: 10_000 });
  await talk(sim, 950);
  sim.crash('b');
  await sim.run(1);
  const recording = sim.recording!;
  t.is(recording.at, 951);
  t.is(recording.hash, sim.trace.hash);
  const returned = recording.events.filter(({ kind }) => kind === 'returned');
  t.deepEqual(returned.map(({ text }) => text).slice(0, 3), [
    undefined,
    undefined,
    'deadline_exceeded',
  ]);
  t.true(recording.events.some(({ kind, text }) => kind === 'note' && text === 'says 2'));
  t.true(recording.events.some(({ kind, text }) => kind === 'fault' && text === 'crash b'));
  const [a, b] = recording.nodes;
  t.like(a, { name: 'a', kind: 'node', up: true, disk: [] });
  t.regex(a!.state!, /^said \d$/);
  t.is(a!.log.at(-1)!.text, `says ${a!.state!.slice(-1)}`);
  // A crash loses data that was not synced.
  t.like(b, { name: 'b', up: false, unsynced: 0 });
  t.deepEqual(b!.disk, [{ key: 'word', size: 6, value: "'word 1'", synced: true }]);
  t.deepEqual(JSON.parse(JSON.stringify(recording)).events.length, recording.events.length);
  await sim.close();
  t.is(sim.recording!.at, 951, 'close is not recorded');
});

test('an error of the scenario itself shows the last events and the nodes, too', async (t) => {
  const { failed } = await explore({
    seeds: 1,
    nemesis: [],
    link,
    scenario: async function verdict(sim) {
      await talk(sim, 950);
      throw new Error('the history is wrong');
    },
  });
  const { message } = failed[0]!.error;
  t.regex(
    message,
    /^the history is wrong\nthe last events:\n[\s\S]*\nthe nodes at that time:\n {2}a /,
  );
  t.regex(message, /\nSEED=\S+ .*$/);
});

test('a failure shows calls in flight and values that were not synced', async (t) => {
  const { failed } = await explore({
    seed: 3,
    link,
    name: 'talk',
    replay: 'x',
    scenario: async (sim) => {
      let isOver = false;
      sim.at(400, () => (isOver = true));
      sim.always('nothing lasts', () => !isOver);
      await talk(sim);
    },
  });
  const { recording, error, trace } = failed[0]!;
  t.is(recording!.hash, trace.hash);
  t.is(recording!.at, 400);
  t.like(recording!.failure, { rule: 'nothing lasts', at: 400 });
  t.deepEqual(recording!.search, {
    scenario: 'talk',
    schedule: [],
    faults: 0,
    replay: 'SEED=talk:3 x',
  });
  const [a, b] = recording!.nodes;
  t.like(a!.calls[0], { method: 'chat/say', to: 'b' });
  t.like(b!.disk[0], { value: "'word 2'", synced: false });
  t.regex(
    error.message,
    /\nthe nodes at that time:\n {2}a {12}said 3\n( {4}log .*says \d\n){3} {4}calls +chat\/say to b since [\d.]+ ms\n {2}b {12}up\n {4}disk +word 'word 2' \(6 B, not synced\)\n/,
  );
});

test('old events are dropped and counted, and the start says how nodes were', async (t) => {
  const whole = createSimulation({ seed: 3, link, record: 100_000 });
  await talk(whole, 5_000);
  const all = whole.recording!;
  await whole.close();
  const sim = createSimulation({ seed: 3, link, record: 20 });
  await talk(sim, 5_000);
  const { events, dropped, start } = sim.recording!;
  await sim.close();
  t.deepEqual(events, all.events.slice(-20));
  t.is(dropped + 20, all.events.length);
  const stateBefore = all.events
    .slice(0, -20)
    .findLast(({ kind, from }) => kind === 'state' && from === 'a');
  t.deepEqual(start, [
    { name: 'a', up: true, state: stateBefore!.text },
    { name: 'b', up: true },
  ]);
  t.deepEqual(all.start, []);
});

test('only the first ten failures are recorded, and none with record 0', async (t) => {
  const scenario = async (sim: Simulation) => {
    await sim.run(1);
    throw new Error(`seed ${sim.seed}`);
  };
  const search = { scenario, seeds: 12, stopAfter: 12, profiles: [] };
  const { failed } = await explore(search);
  t.is(failed.filter(({ recording }) => recording !== undefined).length, 10);
  t.deepEqual(failed[0]!.recording!.failure, { message: 'Error: seed 1', at: 1 });
  t.is((await explore({ ...search, record: 0 })).failed[0]!.recording, undefined);
  await t.throwsAsync(explore({ ...search, record: -1 }), { message: /explore: record: / });
});

/** Returns a new folder, and a function that lets RECORD name one of its files. */
async function recordingFolder(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'recording-'));
  const before = process.env['RECORD'];
  t.teardown(async () => {
    if (before === undefined) delete process.env['RECORD'];
    else process.env['RECORD'] = before;
    await rm(folder, { recursive: true });
  });
  const recordTo = (name: string) => (process.env['RECORD'] = join(folder, name));
  return { folder, recordTo };
}

/** A search whose first seed fails. */
const failing = async (options: Partial<Parameters<typeof explore>[0]> = {}) => {
  const scenario = async (sim: Simulation) => {
    await talk(sim);
    throw new Error('wrong');
  };
  return (await explore({ profiles: [], scenario, ...options })).failed[0]!;
};

test('RECORD names the file for the recording of the first failure', async (t) => {
  const { recordTo } = await recordingFolder(t);
  const path = recordTo('failure.json');
  const { recording } = await failing();
  t.deepEqual(JSON.parse(await readFile(path, 'utf8')), JSON.parse(JSON.stringify(recording)));
  recordTo('nowhere/failure.json');
  await t.throwsAsync(failing(), {
    message: /^explore: RECORD names the file '.*nowhere.*ENOENT/,
  });
});

test('each search of a process has its own file, and only a file of this process is kept', async (t) => {
  const { folder, recordTo } = await recordingFolder(t);
  const path = recordTo('failure.json');
  const searchOf = async (name: string) =>
    (JSON.parse(await readFile(join(folder, name), 'utf8')) as Recording).search!.scenario;
  await writeFile(path, 'of an earlier process');
  await utimes(path, 1, 1);
  await failing({ name: 'pay' });
  await failing({ name: 'pay' });
  for (const name of ['lock', 'a/b']) await failing({ name });
  t.deepEqual((await readdir(folder)).sort(), [
    'failure-a-b.json',
    'failure-lock.json',
    'failure.json',
  ]);
  t.is(await searchOf('failure.json'), 'pay');
  t.is(await searchOf('failure-lock.json'), 'lock');
  recordTo('no.folder/of-another-thread');
  await mkdir(join(folder, 'no.folder'));
  await writeFile(join(folder, 'no.folder/of-another-thread'), '');
  await failing({ name: 'last' });
  t.is(await searchOf('no.folder/of-another-thread-last'), 'last');
});

test('a file whose name ends in .txt has all events as text, and the error', async (t) => {
  const { recordTo } = await recordingFolder(t);
  const path = recordTo('failure.txt');
  const { recording, error } = await failing();
  const [events, rest] = (await readFile(path, 'utf8')).split('\n\n', 2) as [string, string];
  t.is(rest, `${error.message}\n`);
  const lines = events.split('\n');
  t.is(lines.length, recording!.events.length);
  t.true(lines.length > 20, `${lines.length}`);
  t.regex(events, /^ +[\d.]+ ms {2}a → b +returned +chat\/say, deadline_exceeded$/m);
  const shown = /the last events:\n((?: {2} .*\n)+)/.exec(error.message)![1]!.trimEnd().split('\n');
  const traced = lines.filter((line) => !/ (called|returned) /.test(line));
  t.deepEqual(
    shown.map((line) => line.slice(2)),
    traced.slice(-20),
  );
  await failing({ name: 'few', record: 20 });
  t.regex(
    await readFile(path.replace('.txt', '-few.txt'), 'utf8'),
    /^\d+ earlier events are missing: raise the option record\n(?: .*\n){20}\nwrong\n/,
  );
});
