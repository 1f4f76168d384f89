// Tests of the watch that detects whether anything is on its way between two ends.

import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createPipes } from '../testing/pipes.ts';
import { createTransitWatch, type TransitWatchOptions } from './transit-watch.ts';

test('a watch is busy from a write until the other end reads, and quiet before and after', async (t) => {
  const { transit, near, far } = await connected();
  t.false(transit.isBusy());
  near.connection.write(Uint8Array.of(1, 2, 3));
  t.true(transit.isBusy());
  await until(() => far.bytes.length === 3);
  t.false(transit.isBusy());
  far.connection.write(Uint8Array.of(4));
  t.true(transit.isBusy());
  await until(() => near.bytes.length === 1);
  t.false(transit.isBusy());
  t.deepEqual([...far.bytes, ...near.bytes], [1, 2, 3, 4]);
});

test('an end that has paused is not waited for', async (t) => {
  const { transit, near, far } = await connected();
  far.connection.pause();
  near.connection.write(Uint8Array.of(1));
  t.false(transit.isBusy());
  far.connection.resume();
  t.true(transit.isBusy());
  await until(() => far.bytes.length === 1);
  t.false(transit.isBusy());
});

for (const how of ['close', 'destroy'] as const) {
  test(`a watch is busy from ${how} until the other end knows`, async (t) => {
    const { transit, near, far } = await connected();
    near.connection[how]();
    t.true(transit.isBusy());
    await until(() => far.isOver);
    await until(() => near.isOver);
    t.false(transit.isBusy());
  });
}

test('a pending dial is busy, unless its handshake waits for a slot', async (t) => {
  const clock = createManualClock();
  const transit = createTransitWatch();
  const other = createTransitWatch();
  let answer: (error: Error) => void = () => {};
  let begin: ((endpoint: string) => { leave(): void } | undefined) | undefined;
  const layer: StreamLayer = {
    clock,
    async listen(_accept, _failed, options) {
      begin = (endpoint) => options!.handshakes.acquire(endpoint, () => {});
    },
    dial: () => new Promise((_resolve, reject) => (answer = reject)),
    localAddr: () => 'here',
    advertiseAddr: () => 'here',
    async close() {},
  };
  const watched = transit.watch(layer);
  const slot = { since: 0, leave() {} };
  const options = { timeout: 5_000, handshakes: { acquire: () => slot } };
  await watched.listen(() => {}, undefined, options);
  const dialing = watched.dial('here', { timeout: 1_000 }).catch((error: Error) => error.message);
  t.true(transit.isBusy());
  t.true(transit.isBusy(clock));
  t.false(transit.isBusy(createManualClock()));
  t.false(other.isBusy());
  const waiting = begin!('here');
  t.false(transit.isBusy());
  waiting!.leave();
  t.true(transit.isBusy());
  answer(new Error('nobody'));
  t.is(await dialing, 'nobody');
  t.false(transit.isBusy());
});

test('a dial and bytes that do not move are busy until lostAfter has passed', async (t) => {
  // Everything counts as lost at once, or never, so the result doesn't depend on time.
  for (const [lostAfter, isBusy] of [
    [-1, false],
    [Number.POSITIVE_INFINITY, true],
  ] as const) {
    const { transit, near, pipes } = await connected({ lostAfter });
    near.connection.write(Uint8Array.of(1));
    t.is(transit.isBusy(), isBusy, `bytes, lostAfter: ${lostAfter}`);
    const dialing = createTransitWatch({ lostAfter });
    const pending: Partial<StreamLayer> = { dial: () => new Promise(() => {}) };
    void dialing.watch({ ...pipes.layer(), ...pending } as StreamLayer).dial('x', { timeout: 1 });
    t.is(dialing.isBusy(), isBusy, `a dial, lostAfter: ${lostAfter}`);
  }
});

test('a connection that ends before the dialer has announced itself is handed over with its end', async (t) => {
  const pipes = createPipes();
  const [plain, listening] = [pipes.layer(), createTransitWatch().watch(pipes.layer())];
  const ended = new Promise<TransportError | undefined>((resolve) => {
    void listening.listen((connection) => connection.attach(sinkOf([], resolve)));
  });
  const near = await plain.dial(listening.localAddr(), { timeout: 1_000 });
  near.attach(sinkOf([], () => {}));
  near.write(Uint8Array.of(1, 2));
  near.destroy();
  t.is((await ended)?.reason, 'reset');
});

/** Returns two connected ends of a watch that is quiet. */
async function connected(options?: TransitWatchOptions) {
  const pipes = createPipes();
  const transit = createTransitWatch(options);
  const [dialer, listener] = [transit.watch(pipes.layer()), transit.watch(pipes.layer())];
  const accepted = new Promise<End>((resolve) => {
    void listener.listen((connection) => resolve(endOf(connection)));
  });
  const near = endOf(await dialer.dial(listener.localAddr(), { timeout: 1_000 }));
  const far = await accepted;
  return { transit, near, far, pipes };
}

interface End {
  readonly connection: StreamConnection;
  readonly bytes: number[];
  isOver: boolean;
}

function endOf(connection: StreamConnection): End {
  const end: End = { connection, bytes: [], isOver: false };
  connection.attach(sinkOf(end.bytes, () => (end.isOver = true)));
  return end;
}

function sinkOf(bytes: number[], closed: (error?: TransportError) => void) {
  return {
    data: (chunk: Uint8Array) => void bytes.push(...chunk),
    frames() {},
    drained() {},
    closed,
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
