// Rules about back-pressure: a reader that stops reading stops only its own writer. A layer must
// take 20 kB for a paused reader.

import type { TestContext } from '../test-runner.ts';
import { equalBytes, pattern } from '../transport/values.ts';
import type { Rule, StreamLayerFixture } from './fixture.ts';
import type { Recorder } from './recorder.ts';

export const backPressureRules: Rule[] = [
  {
    title: 'writes to a paused reader start to return false, and drained follows once it reads',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await checkPause(t, fixture, near, far);
    },
  },
  {
    title: 'back-pressure applies to writes of the acceptor, too',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await checkPause(t, fixture, far, near);
    },
  },
  {
    title: 'nothing is lost or altered by a pause in the middle',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      const pauses: Promise<void>[] = [];
      let chunks = 0;
      far.onData = () => {
        if (chunks++ % 3 !== 0) return;
        far.connection.pause();
        pauses.push(settle(fixture).then(() => far.connection.resume()));
      };
      const bytes = pattern(3_000_000);
      const writing = near.write(
        ...Array.from({ length: 50 }, (_, i) => bytes.subarray(i * 60_000, (i + 1) * 60_000)),
      );
      await Promise.all([writing, far.until(() => far.size === bytes.length)]);
      await Promise.all(pauses);
      t.true(pauses.length > 3);
      t.true(equalBytes(far.bytes(), bytes));
    },
  },
  {
    title: 'thousands of small chunks arrive in order at a slow reader, in both directions',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(await slowly(fixture, near, far), 'at the acceptor');
      t.true(await slowly(fixture, far, near), 'at the dialer');
    },
  },
  {
    title: 'drained is reported once for each write that was false, and for no other',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      let refused = 0;
      for (let i = 0; i < 40; i++) {
        const before = near.drains;
        if (near.connection.write(pattern(500_000, i))) continue;
        refused++;
        await near.until(() => near.drains > before);
      }
      await far.until(() => far.size === 40 * 500_000);
      await settle(fixture);
      t.is(near.drains, refused);
    },
  },
  {
    title: 'back-pressure applies to several chunks at once, if the layer supports them',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      let refused = 0;
      for (let i = 0; i < 20; i++) {
        const { drains } = near;
        const bytes = pattern(1_000_000, i + 1);
        if (
          near.connection.writeAll?.([bytes.subarray(0, 9), bytes.subarray(9)]) ??
          near.connection.write(bytes)
        )
          continue;
        refused++;
        await near.until(() => near.drains > drains);
      }
      await far.until(() => far.size === 20 * 1_000_000);
      t.is(near.drains, refused);
      const came = far.bytes();
      for (let i = 0; i < 20; i++)
        t.true(
          equalBytes(came.subarray(i * 1_000_000, (i + 1) * 1_000_000), pattern(1_000_000, i + 1)),
        );
    },
  },
  {
    title: 'a paused reader can still write',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.pause();
      await near.write(pattern(1_000));
      await far.write(pattern(300_000));
      await near.until(() => near.size === 300_000);
      far.connection.resume();
      await far.until(() => far.size === 1_000);
      t.pass();
    },
  },
  {
    title: 'a paused connection does not stop others of the same two layers',
    async run(t, fixture) {
      const { near, far, listening } = await fixture.pair();
      far.connection.pause();
      await fill(fixture, near);
      const { drains } = near;
      const other = await fixture.dial(listening.address);
      await other.write(pattern(400_000));
      const otherFar = await listening.accept(1);
      await otherFar.until(() => otherFar.size === 400_000);
      t.is(near.drains, drains);
    },
  },
  {
    title: 'pausing before the first byte and resuming loses nothing',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.pause();
      await near.write(pattern(1_000));
      await settle(fixture);
      t.is(far.size, 0);
      far.connection.resume();
      await far.until(() => far.size === 1_000);
      t.pass();
    },
  },
  {
    title: 'an end that arrives while its reader is paused is reported after the earlier bytes',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      far.connection.pause();
      await near.write(pattern(20_000));
      near.connection.close();
      await settle(fixture);
      t.is(far.ends, 0);
      far.connection.resume();
      await far.ended();
      t.is(far.size, 20_000);
      t.is(far.error, undefined);
    },
  },
];

/**
 * Writes 3,000 small chunks to a reader that pauses before the first one and several times later.
 * Meanwhile, the reader's own bytes must arrive. Returns true if all chunks arrived in order.
 */
async function slowly(fixture: StreamLayerFixture, from: Recorder, to: Recorder): Promise<boolean> {
  const sizes = Array.from({ length: 3_000 }, (_, i) => 1 + (i % 60));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const bytes = pattern(total);
  const [sent, received] = [to.size, from.size];
  to.connection.pause();
  let at = 0;
  const writing = from.write(...sizes.map((size) => bytes.subarray(at, (at += size))));
  await settle(fixture);
  await to.write(pattern(1_000));
  await from.until(() => from.size === received + 1_000);
  const pauses: Promise<void>[] = [];
  to.onData = () => {
    if (to.size - sent < (total * (pauses.length + 1)) / 5) return;
    to.connection.pause();
    pauses.push(settle(fixture).then(() => to.connection.resume()));
  };
  to.connection.resume();
  await Promise.all([writing, to.until(() => to.size === sent + total)]);
  await Promise.all(pauses);
  to.onData = undefined;
  return equalBytes(to.bytes().subarray(sent), bytes);
}

/** Checks that the writer stops while the reader is paused, and continues when the reader does. */
async function checkPause(
  t: TestContext,
  fixture: StreamLayerFixture,
  writer: Recorder,
  reader: Recorder,
): Promise<void> {
  reader.connection.pause();
  const written = await fill(fixture, writer);
  const { drains } = writer;
  t.true(written <= MOST, `${written} bytes were taken for a reader that does not read`);
  await settle(fixture);
  t.is(writer.drains, drains);
  reader.connection.resume();
  await writer.until(() => writer.drains === drains + 1);
  await reader.until(() => reader.size === written);
  t.is(writer.drains, drains + 1);
}

/**
 * Writes until a result of false is not followed by `drained`, or until the layer has taken more
 * than a correct layer would; returns the number of bytes written.
 */
async function fill(fixture: StreamLayerFixture, from: Recorder): Promise<number> {
  const chunk = pattern(64 * 1024);
  let written = 0;
  while (written <= MOST) {
    const { drains } = from;
    written += chunk.length;
    if (from.connection.write(chunk)) continue;
    // A layer may report late that a chunk has been sent (TLS does); a blocked layer reports
    // nothing.
    for (let trips = 0; trips < 3 && from.drains === drains; trips++) await settle(fixture);
    if (from.drains === drains) break;
  }
  return written;
}

/**
 * Waits for a complete round trip over another connection. This replaces a timer: a report that has
 * not arrived by then is not on its way.
 */
async function settle(fixture: StreamLayerFixture): Promise<void> {
  const { near, far } = await fixture.pair();
  await near.write(pattern(1));
  await far.until(() => far.size === 1);
  await far.write(pattern(1));
  await near.until(() => near.size === 1);
}

/**
 * Maximum number of bytes that a correct layer takes: the kernel's buffers of both ends, and those
 * of the layer.
 */
const MOST = 32 * 1024 * 1024;
