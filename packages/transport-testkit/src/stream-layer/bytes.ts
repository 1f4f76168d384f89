// Rules about the carried bytes: every byte arrives once and in order, in memory that belongs to
// the reader.

import { systemClock } from '@trunkline/transport-core';
import { equalBytes, pattern } from '../transport/values.ts';
import type { Rule, StreamLayerFixture } from './fixture.ts';
import type { Recorder } from './recorder.ts';

const SIZES = [
  1,
  2,
  125,
  126,
  127,
  65_535,
  65_536,
  65_537,
  256 * 1024,
  256 * 1024 + 1,
  1024 * 1024,
  4 * 1024 * 1024,
];

export const byteRules: Rule[] = [
  ...SIZES.map(
    (size): Rule => ({
      title: `one write of ${size} bytes arrives whole`,
      async run(t, fixture) {
        const { near, far } = await fixture.pair();
        const bytes = pattern(size);
        await near.write(bytes);
        await far.until(() => far.size >= size);
        t.true(equalBytes(far.bytes(), bytes));
      },
    }),
  ),
  {
    title:
      'several chunks written at once arrive in order with those before and after them, if the layer supports them',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        const bytes = pattern(2_000_000);
        const cut = (at: number, length: number) => bytes.subarray(at, at + length);
        await from.write(cut(0, 100));
        await from.writeAll([
          cut(100, 14),
          cut(114, 65_536),
          cut(65_650, 14),
          cut(65_664, 134_336),
        ]);
        await from.writeAll([cut(200_000, 1_600_000), cut(1_800_000, 1)]);
        await from.write(cut(1_800_001, 199_999));
        await to.until(() => to.size >= bytes.length);
        t.true(equalBytes(to.bytes(), bytes));
      }
    },
  },
  {
    title: 'a thousand chunks of many sizes arrive in order at the acceptor',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(await inOrder(near, far));
    },
  },
  {
    title: 'a thousand chunks of many sizes arrive in order at the dialer',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(await inOrder(far, near));
    },
  },
  {
    title: 'both directions at once do not mix',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.deepEqual(await Promise.all([inOrder(near, far), inOrder(far, near)]), [true, true]);
    },
  },
  {
    title: 'bytes written one or two at a time arrive in order, in both directions at once',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await Promise.all([trickle(fixture, near, 1), trickle(fixture, far, 2)]);
      await Promise.all([near, far].map((end) => end.until(() => end.size === TRICKLE)));
      t.true(equalBytes(far.bytes(), pattern(TRICKLE, 1)));
      t.true(equalBytes(near.bytes(), pattern(TRICKLE, 2)));
    },
  },
  {
    title: 'received bytes are plain Uint8Arrays, on both sides',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      await near.write(pattern(300), pattern(70_000));
      await far.write(pattern(300), pattern(70_000));
      await Promise.all([near, far].map((end) => end.until(() => end.size === 70_300)));
      for (const chunk of [...near.chunks, ...far.chunks])
        t.is(Object.getPrototypeOf(chunk), Uint8Array.prototype);
    },
  },
  {
    title: 'received bytes are not changed by later ones',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        const copies: Uint8Array[] = [];
        to.onData = (chunk) => void copies.push(new Uint8Array(chunk));
        for (let i = 0; i < 200; i++) await from.write(pattern(1_000, i + 1));
        await to.until(() => to.size === 200_000);
        t.true(to.chunks.every((chunk, i) => equalBytes(chunk, copies[i]!)));
      }
    },
  },
  {
    title:
      'bytes that a reader keeps do not change, even if it released the ones before and after them',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.deepEqual(await Promise.all([keepingHalf(near, far), keepingHalf(far, near)]), [
        true,
        true,
      ]);
    },
  },
  {
    title:
      'readers that copy what they keep get the bytes of each writer in order, however many read at once',
    async run(t, fixture) {
      const listening = await fixture.listen();
      const layer = fixture.layer();
      const readers: Recorder[] = [];
      for (let i = 0; i < 3; i++) readers.push(await fixture.dial(listening.address, layer, true));
      const writers = await Promise.all(readers.map((_, i) => listening.accept(i)));
      const sizes = [500_000, 600_000, 700_000];
      await Promise.all(
        writers.map((writer, i) => writer.write(pattern(20), pattern(sizes[i]!, i + 1))),
      );
      for (const { connection } of writers) connection.close();
      await Promise.all(readers.map((reader) => reader.ended()));
      // The system decides which connection is accepted first.
      const got = readers.map((reader) => reader.bytes()).sort((a, b) => a.length - b.length);
      const isRight = got.map(
        (bytes, i) =>
          equalBytes(bytes.subarray(0, 20), pattern(20)) &&
          equalBytes(bytes.subarray(20), pattern(sizes[i]!, i + 1)),
      );
      t.deepEqual(isRight, [true, true, true]);
    },
  },
  {
    title: 'the dialer may reuse memory at once after write returned true',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(await reusing(near, far));
    },
  },
  {
    title: 'the acceptor may reuse memory at once after write returned true',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(await reusing(far, near));
    },
  },
  {
    title: 'a write does not modify the memory',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      const bytes = pattern(100_000);
      await Promise.all([near.write(bytes), far.write(bytes)]);
      await Promise.all([near, far].map((end) => end.until(() => end.size === bytes.length)));
      t.true(equalBytes(bytes, pattern(100_000)));
    },
  },
  {
    title: 'a reader may modify the bytes that it got without affecting the writer',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      const bytes = pattern(5_000);
      far.onData = (chunk) => void chunk.fill(0);
      await near.write(bytes);
      await far.until(() => far.size === bytes.length);
      t.true(equalBytes(bytes, pattern(5_000)));
    },
  },
  {
    title: 'an empty write completes at once and reports nothing',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(near.connection.write(new Uint8Array(0)));
      const isDone = near.connection.write(pattern(3));
      await far.until(() => far.size === 3);
      t.true(far.chunks.every((chunk) => chunk.length > 0));
      if (!isDone) await near.until(() => near.drains > 0, "'drained'");
      t.is(near.drains, isDone ? 0 : 1);
    },
  },
  {
    title: 'bytes written by the acceptor while it accepts reach the dialer',
    async run(t, fixture) {
      const layer = fixture.layer();
      await layer.listen((connection) => {
        fixture.record(connection);
        connection.write(pattern(50));
      });
      const near = await fixture.dial(layer.localAddr());
      await near.until(() => near.size === 50);
      t.true(equalBytes(near.bytes(), pattern(50)));
    },
  },
  {
    title: 'nothing is reported while write, pause, resume or close run',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      let inside = false;
      let reentered = 0;
      near.onData = far.onData = () => {
        reentered += Number(inside);
      };
      for (const { connection } of [near, far]) {
        inside = true;
        connection.pause();
        connection.write(pattern(10));
        connection.resume();
        inside = false;
      }
      t.is(near.drains + far.drains, 0);
      await Promise.all([near, far].map((end) => end.until(() => end.size === 10)));
      near.connection.close();
      t.is(near.ends + far.ends, 0);
      await Promise.all([near.ended(), far.ended()]);
      t.is(reentered, 0);
    },
  },
];

/**
 * Writes {@link TRICKLE} bytes in chunks of one or two, with a turn of the event loop after every
 * few chunks, so that a layer cannot combine them all.
 */
async function trickle(fixture: StreamLayerFixture, from: Recorder, seed: number): Promise<void> {
  const bytes = pattern(TRICKLE, seed);
  for (let at = 0; at < TRICKLE; at += 3) {
    await from.write(bytes.subarray(at, at + 1), bytes.subarray(at + 1, at + 3));
    if (at % 30 !== 0) continue;
    await systemClock.sleep(0);
    fixture.waits.note();
  }
}

const TRICKLE = 2_400;

async function inOrder(from: Recorder, to: Recorder): Promise<boolean> {
  const chunks = Array.from({ length: 1_000 }, (_, i) => pattern(1 + ((i * 7_919) % 3_001), i + 1));
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  await Promise.all([from.write(...chunks), to.until(() => to.size === total)]);
  const bytes = to.bytes();
  let at = 0;
  return chunks.every((chunk) => {
    at += chunk.length;
    return equalBytes(bytes.subarray(at - chunk.length, at), chunk);
  });
}

/**
 * Sends bytes to a reader that releases every second chunk. Returns two flags: true if all bytes
 * that it saw were right, and true if the chunks that it kept are unchanged at the end.
 */
async function keepingHalf(from: Recorder, to: Recorder): Promise<boolean> {
  const seen: Uint8Array[] = [];
  const kept = new Map<Uint8Array, Uint8Array>();
  to.onData = (chunk) => {
    const copy = new Uint8Array(chunk);
    seen.push(copy);
    if (seen.length % 2 === 1) kept.set(chunk, copy);
    return seen.length % 2 === 0;
  };
  const sizes = Array.from({ length: 60 }, (_, i) => [900, 20_000, 70_000, 200_000][i % 4]!);
  for (const [i, size] of sizes.entries()) await from.write(pattern(size, i + 1));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  await to.until(() => to.size === total);
  const whole = new Uint8Array(total);
  let at = 0;
  for (const copy of seen) {
    whole.set(copy, at);
    at += copy.length;
  }
  at = 0;
  const isRight = sizes.every((size, i) =>
    equalBytes(whole.subarray(at, (at += size)), pattern(size, i + 1)),
  );
  return isRight && [...kept].every(([chunk, copy]) => equalBytes(chunk, copy));
}

/**
 * Writes chunks, and overwrites each as soon as the connection no longer needs it: large ones,
 * and then small ones, which wait in the layer while the reader pauses.
 */
async function reusing(from: Recorder, to: Recorder): Promise<boolean> {
  const sizes = Array.from({ length: 900 }, (_, i) => (i < 300 ? 20_000 : 1_500));
  for (const [i, size] of sizes.entries()) {
    if (i === 300) to.connection.pause();
    const memory = pattern(size, i + 1);
    const { drains } = from;
    if (!from.connection.write(memory)) {
      to.connection.resume();
      await from.until(() => from.drains > drains, "'drained'");
    }
    memory.fill(0xff);
  }
  to.connection.resume();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  await to.until(() => to.size === total);
  const bytes = to.bytes();
  let at = 0;
  return sizes.every((size, i) =>
    equalBytes(bytes.subarray(at, (at += size)), pattern(size, i + 1)),
  );
}
