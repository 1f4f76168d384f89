// Rules about the end of a connection: it is graceful or immediate, it is reported exactly once,
// and nothing written before a graceful end is lost.

import { systemClock, TransportError } from '@trunkline/transport-core';
import { equalBytes, pattern } from '../transport/values.ts';
import type { Rule } from './fixture.ts';
import type { Recorder } from './recorder.ts';

export const endRules: Rule[] = [
  {
    title: 'a connection with ref off does not keep the process alive, and carries the same data',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      const { connection } = near;
      if (connection.ref !== undefined) {
        // The suite also runs in pages, which have no process.
        // biome-ignore lint/style/noRestrictedGlobals: see above.
        const { process } = globalThis as NodeGlobals;
        const alive = () => process?.getActiveResourcesInfo().length ?? 0;
        const before = alive();
        connection.ref(false);
        connection.ref(false);
        if (process !== undefined) t.true(alive() < before, 'ref(false) changes nothing');
        connection.ref(true);
        t.is(alive(), before);
        connection.ref(false);
      }
      await near.write(pattern(1_000));
      near.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      t.deepEqual([far.size, near.error, far.error], [1_000, undefined, undefined]);
      connection.ref?.(true);
    },
  },
  {
    title: 'close flushes written bytes; both ends then report closed without an error, once',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await near.write(pattern(1_000));
      near.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      t.true(equalBytes(far.bytes(), pattern(1_000)));
      t.is(near.error, undefined);
      t.is(far.error, undefined);
      t.deepEqual([near.ends, far.ends, near.late, far.late], [1, 1, 0, 0]);
    },
  },
  {
    title: 'the acceptor may close as well',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await far.write(pattern(1_000));
      far.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      t.true(equalBytes(near.bytes(), pattern(1_000)));
      t.deepEqual([near.error, far.error], [undefined, undefined]);
    },
  },
  {
    title: 'a last chunk arrives before the end, however busy the process is',
    async run(t, fixture) {
      for (let round = 0; round < 3; round++)
        for (const isDialer of [true, false]) {
          const { near, far } = await fixture.pair();
          await greet(near, far);
          const [from, to] = isDialer ? [near, far] : [far, near];
          const bytes = pattern(2_001, round + 1);
          await from.write(bytes.subarray(0, 2_000));
          from.connection.write(bytes.subarray(2_000));
          from.connection.close();
          // Threads of a library may continue while this one is busy, and must not drop anything.
          const until = systemClock.now() + 20;
          while (systemClock.now() < until);
          await Promise.all([near.ended(), far.ended()]);
          t.true(equalBytes(to.bytes().subarray(1), bytes));
          t.deepEqual([from.error, to.error, to.late], [undefined, undefined, 0]);
        }
    },
  },
  {
    title: 'close flushes a chunk whose write was false',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      const chunk = pattern(512 * 1024);
      let written = 0;
      do written += chunk.length;
      while (near.connection.write(chunk) && written < 64 * chunk.length);
      near.connection.close();
      await far.ended();
      t.is(far.size, written);
      t.is(far.error, undefined);
    },
  },
  {
    title: 'both ends may close at once',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      near.connection.close();
      far.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      t.deepEqual([near.error, far.error, near.ends, far.ends], [undefined, undefined, 1, 1]);
    },
  },
  {
    title: 'close is idempotent, and allowed after the end',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      near.connection.close();
      near.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      near.connection.close();
      far.connection.close();
      near.connection.destroy();
      const next = await fixture.pair();
      t.is(next.near.ends, 0);
      t.deepEqual([near.ends, far.ends], [1, 1]);
    },
  },
  {
    title: 'close after the other end reset the connection does nothing, and leaves no timer',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.destroy();
      await Promise.all([near.ended(), far.ended()]);
      const { timers } = fixture.clock;
      near.connection.close();
      t.is(fixture.clock.timers, timers);
      t.is(near.ends, 1);
    },
  },
  {
    title: 'after close, writes return true and are dropped',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await near.write(pattern(10));
      near.connection.close();
      for (let i = 0; i < 100; i++) t.true(near.connection.write(pattern(100_000)));
      await far.ended();
      t.true(near.connection.write(pattern(10)));
      t.is(far.size, 10);
    },
  },
  {
    title:
      'after destroy, writes return true and are dropped, and pause, resume and close do nothing',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      near.connection.destroy();
      t.true(near.connection.write(pattern(10)));
      near.connection.pause();
      near.connection.resume();
      near.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      t.true(near.connection.write(pattern(10)));
      t.deepEqual([near.ends, far.size], [1, 0]);
    },
  },
  {
    title: 'after the other end has ended, writes return true and are dropped',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.close();
      await near.ended();
      t.true(near.connection.write(pattern(100_000)));
      near.connection.pause();
      near.connection.resume();
      t.is(near.ends, 1);
    },
  },
  {
    title: 'destroy ends at once: the other end reports closed with reset',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await greet(near, far);
      near.connection.destroy();
      await Promise.all([near.ended(), far.ended()]);
      t.is(far.error?.code, 'unavailable');
      t.is(far.error?.reason, 'reset');
      t.true(far.error?.message.includes(far.connection.endpoint), far.error?.message);
      t.deepEqual([near.ends, far.ends], [1, 1]);
    },
  },
  {
    title: 'the acceptor may destroy as well',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await greet(near, far);
      far.connection.destroy();
      await Promise.all([near.ended(), far.ended()]);
      t.is(near.error?.reason, 'reset');
    },
  },
  {
    title: 'closed reports the error given to destroy, and a second destroy changes nothing',
    async run(t, fixture) {
      const { near } = await fixture.pair();
      const error = new TransportError('resource_exhausted', 'Too slow', { reason: 'flood' });
      near.connection.destroy(error);
      near.connection.destroy(new TransportError('internal', 'another'));
      await near.ended();
      t.is(near.error, error);
      t.is(near.ends, 1);
    },
  },
  {
    title: 'closed is never reported while destroy runs',
    async run(t, fixture) {
      const { near } = await fixture.pair();
      near.connection.destroy();
      t.is(near.ends, 0);
      await near.ended();
      t.is(near.ends, 1);
    },
  },
  {
    title: 'destroy after close ends the wait',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.pause();
      near.connection.close();
      near.connection.destroy();
      await near.ended();
      t.is(near.ends, 1);
    },
  },
  {
    title: 'after destroy inside data only closed is reported',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.onData = () => far.connection.destroy();
      near.connection.write(pattern(200_000));
      await Promise.all([near.ended(), far.ended()]);
      t.is(far.chunks.length, 1);
      t.deepEqual([far.ends, far.late], [1, 0]);
    },
  },
  {
    title: 'after close inside data later bytes are discarded, and earlier writes arrive',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.onData = () => {
        far.connection.write(pattern(77));
        far.connection.close();
      };
      near.connection.write(pattern(200_000));
      await Promise.all([near.ended(), far.ended()]);
      t.is(far.chunks.length, 1);
      t.true(equalBytes(near.bytes(), pattern(77)));
      t.deepEqual([near.error, far.error, far.late], [undefined, undefined, 0]);
    },
  },
  {
    title: 'close with unread received bytes still delivers the flushed ones',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.pause();
      near.connection.write(pattern(100_000));
      await far.write(pattern(40_000));
      far.connection.close();
      await Promise.all([near.ended(), far.ended()]);
      t.true(equalBytes(near.bytes(), pattern(40_000)));
      t.deepEqual([near.error, far.size], [undefined, 0]);
    },
  },
  {
    title: 'close waits at most a second or two for the other end to close',
    async run(t, fixture) {
      const { clock } = fixture;
      const { near, far } = await fixture.pair();
      far.connection.pause();
      near.connection.write(pattern(10));
      near.connection.close();
      // The far end reads nothing, so it does not see the end. The near end may use one period to
      // flush and one to wait.
      clock.advance(1_000);
      clock.advance(1_000);
      await near.ended();
      t.is(near.error?.reason, 'reset');
      t.is(clock.timers, 0);
    },
  },
  {
    title: 'a flood after close is cut off at 256 KiB',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      // Paused with unread bytes, the far end does not see that the near end has closed, and
      // continues to write.
      far.connection.pause();
      near.connection.write(pattern(10));
      near.connection.close();
      const flood = far
        .write(...Array.from({ length: 200 }, () => pattern(64 * 1024)))
        .catch(() => {});
      await near.ended();
      t.is(near.size, 0);
      far.connection.resume();
      await far.ended();
      await flood;
      t.is(near.ends, 1);
    },
  },
  {
    title: 'a connection destroyed as it is accepted, unattached, ends at the dialer',
    async run(t, fixture) {
      const layer = fixture.layer();
      await layer.listen((connection) => connection.destroy());
      const near = await dialed(fixture.dial(layer.localAddr()));
      await near?.ended();
      t.true(near === undefined || near.ends === 1);
    },
  },
  {
    title:
      'a connection closed as it is accepted, unattached, ends in order at the dialer, with what was written',
    async run(t, fixture) {
      const layer = fixture.layer();
      await layer.listen((connection) => {
        connection.write(pattern(20));
        connection.close();
      });
      const near = await fixture.dial(layer.localAddr());
      await near.ended();
      t.is(near.size, 20);
      t.is(near.error, undefined);
    },
  },
  {
    title: 'two hundred connections opened, used and closed leave no timer',
    async run(t, fixture) {
      const { clock } = fixture;
      const { layer, address, accept } = await fixture.listen();
      const dialer = fixture.layer();
      for (let i = 0; i < 200; i++) {
        const near = await fixture.dial(address, dialer);
        const far = await accept(i);
        await near.write(pattern(100));
        await far.until(() => far.size === 100);
        (i % 2 === 0 ? near : far).connection.close();
        await Promise.all([near.ended(), far.ended()]);
      }
      await Promise.all([layer.close(), dialer.close()]);
      t.is(clock.timers, 0);
    },
  },
];

/**
 * Returns undefined if the dial fails, because the connection may be aborted before the dial
 * completes.
 */
async function dialed<T>(dialing: Promise<T>): Promise<T | undefined> {
  return dialing.catch(() => undefined);
}

/**
 * Sends a byte in each direction. After that, a layer with a handshake has completed it at both
 * ends, and a reset finds nothing in flight.
 */
async function greet(near: Recorder, far: Recorder): Promise<void> {
  await Promise.all([near.write(pattern(1)), far.write(pattern(1))]);
  await Promise.all([near.until(() => near.size === 1), far.until(() => far.size === 1)]);
}

interface NodeGlobals {
  /** Lists what keeps the process alive. */
  readonly process?: { getActiveResourcesInfo(): string[] };
}
