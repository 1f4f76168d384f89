// Tests of a case that hangs: it fails soon, and its error names the event that it waits for.

import type { Clock } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { faulty } from '../faulty/faulty.ts';
import { streamLayerSuite } from '../stream-layer/stream-layer-suite.ts';
import type { TestFunction } from '../test-runner.ts';
import { createPipes } from '../testing/pipes.ts';
import { transportSuite } from '../transport/transport-suite.ts';
import { CaseWaits } from './case-waits.ts';

/**
 * Runs a case that never ends, with a clock that advances like real time; returns the case's error.
 */
async function hang(t: ExecutionContext, body: (waits: CaseWaits) => void) {
  const clock = createManualClock();
  const waits = new CaseWaits(undefined, clock);
  const failed = t.throwsAsync(
    waits.run(async () => {
      body(waits);
      await new Promise(() => {});
    }),
  );
  for (let passed = 0; passed < 5_000; passed += 100) clock.advance(100);
  const error = await failed;
  t.is(clock.timers, 0);
  return error!.message;
}

test('a case in which nothing happens fails within 5 s, and names all that it waits for', async (t) => {
  const message = await hang(t, (waits) => {
    waits.begin('the first event')();
    waits.begin('the second event');
    waits.add({ waits: () => ['PONG at the raw peer'] });
  });
  t.is(
    message,
    'nothing has happened for 4.5 s. The case waits for: the second event; PONG at the raw peer. ' +
      'The last event was: the first event.',
  );
});

test('a case that awaits only a promise of its own says so', async (t) => {
  t.regex(await hang(t, () => {}), /^nothing .* The case waits for: a promise of its own\.$/);
});

test('events and bytes begin the time anew, but not the few bytes of pings', async (t) => {
  const clock = createManualClock();
  const waits = new CaseWaits(undefined, clock);
  let bytes = 0;
  waits.add({ bytes: () => bytes });
  let end = () => {};
  const running = waits.run(() => new Promise<void>((resolve) => (end = resolve)));
  const pass = (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 100) clock.advance(100);
  };
  pass(4_400);
  waits.begin('an event')();
  pass(4_400);
  bytes += 5_000; // since the first check without an event
  pass(4_400);
  t.notThrows(() => waits.check());
  bytes += 10;
  pass(200);
  t.throws(() => waits.check(), { message: /^nothing has happened/ });
  await t.throwsAsync(running);
  end();
});

test('on a machine that is late, a case fails only after 30 s, and on any after its own limit', async (t) => {
  const clock = createManualClock();
  const [usual, patient] = [new CaseWaits(undefined, clock), new CaseWaits(10_000, clock)];
  const failed = [usual, patient].map((waits) =>
    t.throwsAsync(waits.run(() => new Promise(() => {}))),
  );
  const pass = (looks: number, late: number) => {
    for (let look = 0; look < looks; look++) clock.jump(100 + late);
  };
  pass(44, 0); // one check less than the default allows
  pass(100, 50);
  t.notThrows(() => usual.check());
  pass(1, 0);
  t.throws(() => usual.check(), { message: /^nothing has happened for 14.5 s/ });
  pass(154, 50);
  t.notThrows(() => patient.check());
  pass(1, 50);
  t.throws(() => patient.check(), { message: /^nothing has happened for 30 s/ });
  await Promise.all(failed);
  t.is(clock.timers, 0);
});

test('a case that ends stops its watchdog, and its result is unchanged', async (t) => {
  const clock = createManualClock();
  await new CaseWaits(undefined, clock).run(async () => {});
  await t.throwsAsync(
    new CaseWaits(undefined, clock).run(async () => {
      throw new Error('its own');
    }),
    { message: 'its own' },
  );
  t.is(clock.timers, 0);
});

test('cases of both suites on a backend that loses everything name the events they wait for', async (t) => {
  const cases = new Map<string, Parameters<TestFunction>[1]>();
  const declare: TestFunction = (title, run) => void cases.set(title, run);
  const deaf = (clock?: Clock) => faulty(pipes.layer(), { clock, halfOpen: true });
  const pipes = createPipes();
  transportSuite(declare, {
    name: 'deaf',
    create: (options) => new NetworkTransport({ ...options, stream: deaf(options.clock) }),
    unreachable: () => 'pipe-0',
  });
  streamLayerSuite(declare, {
    name: 'deaf',
    make: ({ clock }) => ({ layer: () => deaf(clock), malformed: [] }),
  });
  const errorOf = async (title: string) => {
    const run = cases.get(`deaf: ${title}`);
    if (run === undefined) return t.fail(`there is no case '${title}'`) as never;
    return (await t.throwsAsync(async () => run(t)))!.message;
  };
  const [call, dial] = await Promise.all([
    errorOf('answering twice throws a TypeError, and the first answer counts'),
    errorOf('close flushes written bytes; both ends then report closed without an error, once'),
  ]);
  t.regex(call, /waits for: .*send\('pipe-\d+', 'echo'\)/);
  t.regex(call, /the next item of consumer\('echo'\)/);
  t.regex(dial, /waits for: dial\('pipe-\d+'\)/);
});
