// Tests of the primary with workers of the test, in virtual time.

import type { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';
import { FakeWorkers, settle } from './testing/fake-workers.ts';
import type { ClusterEvent } from './types.ts';

function fixture(options: Partial<SupervisorOptions> = {}) {
  const clock = createManualClock();
  const workers = new FakeWorkers();
  const events: ClusterEvent[] = [];
  const cluster = new Supervisor({
    kind: 'process',
    workers: 2,
    startTimeout: 30_000,
    grace: 1_000,
    hangTimeout: undefined,
    overlap: true,
    clock,
    random: () => 0,
    definitions: undefined,
    spawn: workers.spawn,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const pass = async (milliseconds: number) => {
    clock.advance(milliseconds);
    await settle();
  };
  const retries = () =>
    events.flatMap((event) => (event.type === 'retrying' ? [event.retryIn] : []));
  const slots = () => workers.running.map(({ slot }) => slot);
  return { clock, workers, events, cluster, pass, retries, slots };
}

const rejection = async (t: ExecutionContext, promise: Promise<unknown>) =>
  (await t.throwsAsync<TransportError>(promise))!;

test('a cluster has started when all workers have joined', async (t) => {
  const { workers, cluster, events } = fixture();
  workers.started = () => {};
  let hasStarted = false;
  const start = cluster.start().then(() => (hasStarted = true));
  await settle();
  t.is(workers.all.length, 2);
  workers.all[0]!.join();
  await settle();
  t.false(hasStarted);
  workers.all[1]!.join();
  await start;
  t.true(cluster.isReady);
  t.deepEqual(
    events.map(({ type, slot }) => [type, slot]),
    [
      ['joined', 0],
      ['joined', 1],
    ],
  );
});

test('a worker that served for 10 s is replaced at once', async (t) => {
  const { workers, cluster, pass, retries, slots } = fixture();
  await cluster.start();
  await pass(10_000);
  workers.all[1]!.exit({ signal: 'SIGKILL' });
  await settle();
  t.deepEqual(slots(), [0, 1]);
  t.deepEqual(retries(), []);
});

test('workers that crash soon are replaced with a back-off of 100 ms that doubles up to 30 s', async (t) => {
  const { workers, cluster, pass, retries } = fixture({ workers: 1 });
  await cluster.start();
  for (let crash = 0; crash < 12; crash++) {
    workers.running[0]!.exit();
    await settle();
    const pause = retries().at(-1)!;
    t.is(workers.running.length, 0);
    await pass(pause - 1);
    t.is(workers.running.length, 0);
    await pass(1);
    t.is(workers.running.length, 1);
  }
  t.deepEqual(retries().slice(0, 4), [100, 200, 400, 800]);
  t.is(retries().at(-1), 30_000);
  await pass(10_000);
  workers.running[0]!.exit();
  await settle();
  t.is(workers.running.length, 1, 'a worker that served for 10 s ends the back-off');
  t.is(retries().length, 12);
});

test('up to half of the back-off is left out at random', async (t) => {
  const { workers, cluster, retries } = fixture({ workers: 1, random: () => 0.999_999 });
  await cluster.start();
  workers.running[0]!.exit();
  await settle();
  t.is(Math.round(retries()[0]!), 50);
});

test('a worker that ends three times before it has joined makes the start fail, and none is left', async (t) => {
  const { workers, cluster, pass, clock, retries } = fixture();
  workers.started = (worker) => (worker.slot === 0 ? worker.join() : worker.exit({ code: 7 }));
  const failed = rejection(t, cluster.start());
  await settle();
  await pass(100);
  await pass(200);
  workers.all[0]!.exit({ code: 0 });
  const error = await failed;
  t.is(error.code, 'failed_precondition');
  t.regex(
    error.message,
    /^worker 1 \(process 1003\) ended before it has joined \(exit code 7\): .*joinCluster/,
  );
  t.deepEqual(retries(), [100, 200]);
  t.is(workers.running.length, 0);
  t.is(clock.timers, 0);
  t.is((await cluster.snapshot()).state, 'closed');
});

test('a worker that does not join in time is killed, and the start fails', async (t) => {
  const { workers, cluster, pass } = fixture({ workers: 1 });
  workers.started = () => {};
  const failed = rejection(t, cluster.start());
  for (const pause of [100, 200, 0]) {
    await pass(30_000);
    await pass(pause);
  }
  const error = await failed;
  t.is(error.code, 'deadline_exceeded');
  t.regex(error.message, /30000 ms \(startTimeout\).*joinCluster/);
  t.is(workers.all.length, 3);
  t.is(workers.running.length, 0);
});

test('a worker that the system cannot start counts as a failure', async (t) => {
  const { cluster, pass } = fixture({
    workers: 1,
    spawn: () => {
      throw new Error('EAGAIN');
    },
  });
  const failed = rejection(t, cluster.start());
  await settle();
  await pass(100);
  await pass(200);
  const error = await failed;
  t.is(error.code, 'failed_precondition');
  t.is((error.cause as Error).message, 'EAGAIN');
});

/** A snapshot of a worker's transport. */
const transport = {
  calls: { made: 1, served: 2 },
  waiting: 4,
  memory: 5,
  bytes: { in: 6, out: 7 },
  errors: { unavailable: 8 },
  counters: { refusedCall: 9 },
};

test('a snapshot has the workers that answer in time, and says which one did not', async (t) => {
  const { workers, cluster, pass } = fixture();
  await cluster.start();
  const taken = cluster.snapshot({ timeout: 500 });
  await settle();
  workers.all[0]!.say({ type: 'answer', what: 'snapshot', value: { connections: 3, transport } });
  await pass(500);
  const { total, workers: states } = await taken;
  t.deepEqual(total, { workers: 1, connections: 3, ...transport });
  t.is(states[1]!.error!.code, 'deadline_exceeded');
  t.regex(states[1]!.error!.message, /worker 1 .* 500 ms/);
});

test('a worker that answers with malformed values is an error in the snapshot, and others count', async (t) => {
  const { workers, cluster, events } = fixture({ workers: 3 });
  workers.started = (worker) =>
    worker.say({ type: 'joined', addresses: worker.slot === 0 ? (7 as never) : ['\u001b[2J'] });
  await cluster.start();
  t.deepEqual(
    events.map((event) => event.type === 'joined' && event.addresses),
    [[], ['\ufffd[2J'], ['\ufffd[2J']],
  );
  const taken = cluster.snapshot();
  await settle();
  const values = [
    { connections: 1, transport: { ...transport, calls: undefined } },
    { connections: 'x', transport },
    { slot: 9, connections: 3, transport },
  ];
  for (const [at, worker] of workers.all.entries())
    worker.say({ type: 'answer', what: 'snapshot', value: values[at] });
  const { total, workers: states } = await taken;
  t.is(total.workers, 1);
  t.is(total.connections, 3);
  t.deepEqual(
    states.map(({ slot, error }) => [slot, error?.message]),
    [
      [0, 'worker 0 (process 1000) has sent a malformed snapshot; restart it'],
      [1, 'worker 1 (process 1001) has sent a malformed snapshot; restart it'],
      [2, undefined],
    ],
  );
});

test('fields of the wrong type in the messages of a worker are ignored', async (t) => {
  const { workers, cluster, events, pass } = fixture({ workers: 1 });
  const wrong = { toString: 1 } as never; // String() and Number() throw for it
  workers.started = (each) => each.say({ type: 'joined', addresses: [wrong, 'tcp://a:1'] });
  await cluster.start();
  t.like(events[0], { addresses: ['tcp://a:1'] });
  const [worker] = workers.all;
  const taken = cluster.snapshot();
  await settle();
  worker!.say({ type: 'answer', what: 'snapshot', error: wrong });
  t.is((await taken).workers[0]!.error!.message, 'worker 0 (process 1000): unknown error');
  worker!.say({ type: 'leaving', grace: wrong });
  await pass(5_000);
  t.false(worker!.isRunning, 'it leaves without a grace period');
});

test('close ends a worker that leaves by itself with a longer grace period', async (t) => {
  const { workers, cluster, pass } = fixture();
  await cluster.start();
  const [first] = workers.all;
  first!.say({ type: 'leaving', grace: 1e12 });
  await settle();
  void cluster.close();
  await pass(6_000);
  t.false(first!.isRunning);
});

test('questions do not pile up before a worker that hangs, and end when it is killed', async (t) => {
  const { workers, cluster, pass } = fixture({ workers: 1 });
  await cluster.start();
  for (let i = 0; i < 5; i++) {
    const taken = cluster.snapshot();
    await pass(1_000);
    t.is((await taken).workers[0]!.error!.code, 'deadline_exceeded');
  }
  t.is(workers.all[0]!.told.length, 1);
  const last = cluster.snapshot();
  await settle();
  workers.all[0]!.exit({ signal: 'SIGKILL' });
  t.is((await last).workers[0]!.error!.code, 'unavailable');
});

test('a restart starts all new workers before the old ones leave', async (t) => {
  const { workers, cluster, slots } = fixture();
  await cluster.start();
  const restart = cluster.restart();
  await settle();
  const old = workers.all.slice(0, 2);
  t.is(workers.running.length, 4);
  for (const worker of old)
    t.deepEqual(worker.told, [
      { trunkline: 'cluster', type: 'leave', grace: 1_000, refuse: false },
    ]);
  for (const worker of old) worker.exit({ code: 0 });
  await restart;
  t.deepEqual(slots(), [0, 1]);
});

test('without overlap, a restart replaces one worker after the other', async (t) => {
  const { workers, cluster, slots } = fixture({ overlap: false });
  await cluster.start();
  const restart = cluster.restart();
  await settle();
  t.is(workers.all.length, 2);
  t.is(workers.all[1]!.told.length, 0);
  workers.all[0]!.exit({ code: 0 });
  await settle();
  t.deepEqual(slots(), [1, 0]);
  workers.all[1]!.exit({ code: 0 });
  await restart;
  t.deepEqual(slots(), [0, 1]);
});

test('a restart with workers that fail keeps the old ones', async (t) => {
  const { workers, cluster, pass } = fixture();
  await cluster.start();
  workers.started = (worker) => worker.exit({ code: 1 });
  const failed = rejection(t, cluster.restart());
  await settle();
  await pass(100);
  await pass(200);
  t.is((await failed).code, 'failed_precondition');
  t.deepEqual(workers.running, workers.all.slice(0, 2));
  t.deepEqual(
    workers.running.flatMap(({ told }) => told),
    [],
  );
  workers.started = (worker) => worker.join();
  const again = cluster.restart();
  await settle();
  for (const worker of workers.all.slice(0, 2)) worker.exit({ code: 0 });
  await again;
  t.is(workers.running.length, 2);
});

test('calls of restart during a restart share the one that follows it', async (t) => {
  const { workers, cluster } = fixture({ workers: 1 });
  await cluster.start();
  const restarts = [cluster.restart(), cluster.restart(), cluster.restart()];
  await settle();
  workers.all[0]!.exit({ code: 0 });
  await settle();
  workers.all[1]!.exit({ code: 0 });
  await Promise.all(restarts);
  t.is(workers.all.length, 3);
});

test('a worker that leaves by itself is replaced while it leaves', async (t) => {
  const { workers, cluster, pass, events } = fixture();
  await cluster.start();
  await pass(10_000);
  workers.all[0]!.say({ type: 'leaving', grace: 1_000 });
  await settle();
  t.is(workers.running.length, 3);
  workers.all[0]!.exit({ code: 0 });
  await settle();
  t.is(workers.running.length, 2);
  t.true(events.some((event) => event.type === 'exited' && event.expected));
});

test('a crash during a restart does not leave a slot with two workers', async (t) => {
  const { workers, cluster, pass } = fixture({ workers: 1 });
  await cluster.start();
  workers.started = () => {};
  const restart = cluster.restart();
  await settle();
  workers.all[0]!.exit();
  await settle();
  await pass(100); // its replacement starts, too
  t.is(workers.running.length, 2);
  workers.all[1]!.join();
  await restart;
  await settle();
  t.deepEqual(workers.running, [workers.all[1]!]);
});

test('close has all workers leave, and kills those that have not ended 5 s after the grace period', async (t) => {
  const { workers, cluster, pass, clock } = fixture();
  await cluster.start();
  const closed = cluster.close();
  t.false(cluster.isReady);
  t.deepEqual(workers.all[0]!.told, [
    { trunkline: 'cluster', type: 'leave', grace: 1_000, refuse: true },
  ]);
  workers.all[0]!.exit({ code: 0 });
  await pass(5_999);
  t.is(workers.running.length, 1);
  await pass(1);
  await closed;
  t.is(workers.running.length, 0);
  t.is(clock.timers, 0);
  t.is(cluster.close(), cluster.close());
  t.is((await rejection(t, cluster.restart())).code, 'shutdown');
});

test('close during a restart ends both', async (t) => {
  const { workers, cluster } = fixture();
  await cluster.start();
  workers.started = () => {};
  const restart = rejection(t, cluster.restart());
  await settle();
  const closed = cluster.close();
  t.is((await restart).code, 'shutdown');
  for (const worker of workers.all) worker.exit({ code: 0 });
  await closed;
  t.is(workers.running.length, 0);
});

/** Makes the running workers answer the question whether they are alive, except those given. */
function answerAll(workers: FakeWorkers, ...silent: number[]): void {
  for (const worker of workers.running)
    for (const { type } of worker.told.splice(0))
      if (type === 'ping' && !silent.includes(worker.slot)) worker.say({ type: 'pong' });
}

test('a worker that hangs is reported, ended and replaced; one that answers stays', async (t) => {
  const { workers, cluster, events, pass } = fixture({ hangTimeout: 5_000 });
  await cluster.start();
  for (let time = 0; time < 60_000; time += 100) {
    await pass(100);
    answerAll(workers);
  }
  t.is(workers.all.length, 2);
  let waited = 0;
  for (; workers.all.length === 2; waited += 100) {
    await pass(100);
    answerAll(workers, 1);
  }
  t.true(waited >= 5_000 && waited <= 6_000, `${waited} ms`);
  t.deepEqual(
    events.slice(2).map((event) => [event.type, event.slot]),
    [
      ['hung', 1],
      ['exited', 1],
      ['joined', 1],
    ],
  );
  const hung = events.find((event) => event.type === 'hung')!;
  t.true(hung.silent >= 5_000 && hung.silent <= 5_500, `${hung.silent} ms`);
  t.like(
    events.find((event) => event.type === 'exited'),
    { pid: hung.pid, signal: 'SIGKILL', expected: false },
  );
  const snapshot = cluster.snapshot();
  await pass(1_000);
  t.deepEqual(
    (await snapshot).workers.map(({ slot, restarts, hangs }) => [slot, restarts, hangs]),
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  );
});

test('a worker that hangs soon after it joined is replaced with back-off, and the error says why', async (t) => {
  const { workers, cluster, events, pass } = fixture({ workers: 1, hangTimeout: 2_000 });
  await cluster.start();
  for (let time = 0; time < 3_000; time += 100) await pass(100);
  const retrying = events.find((event) => event.type === 'retrying')!;
  t.is(retrying.retryIn, 100);
  t.regex(
    retrying.error.message,
    /^worker 0 \(process \d+\) was ended, because its event loop did not answer for 2000 ms \(hangTimeout\)$/,
  );
  t.is(workers.running.length, 1);
});

test('the lag of the primary itself does not count as silence of its workers', async (t) => {
  const { workers, cluster, clock } = fixture({ hangTimeout: 5_000 });
  await cluster.start();
  for (let lag = 0; lag < 5; lag++) {
    // The primary is blocked: timers run late, before it hears the answers.
    clock.jump(60_000);
    answerAll(workers);
    await settle();
  }
  t.is(workers.all.length, 2);
});

test('workers are not asked whether they are alive unless hangTimeout is set, or while they leave', async (t) => {
  const without = fixture();
  await without.cluster.start();
  await without.pass(100_000);
  t.deepEqual(without.workers.all[0]!.told, []);
  const { workers, cluster, events, pass, clock } = fixture({ hangTimeout: 100, grace: 10_000 });
  await cluster.start();
  const closed = cluster.close();
  await pass(9_000);
  t.deepEqual(
    workers.all.flatMap(({ told }) => told.map(({ type }) => type)),
    ['leave', 'leave'],
  );
  for (const worker of workers.all) worker.exit({ code: 0 });
  await closed;
  t.false(events.some(({ type }) => type === 'hung'));
  t.is(clock.timers, 0);
});

test('an observer that throws does not stop the cluster', async (t) => {
  const { cluster } = fixture({
    onEvent: () => {
      throw new Error('an observer');
    },
  });
  await cluster.start();
  t.true(cluster.isReady);
});
