// Tests of `faulty` by itself: random faults that the same seed repeats, invalid options, and lines
// that are dead in one direction.

import { Buffer } from 'node:buffer';
import type {
  StreamConnection,
  StreamSink,
  TraceChannels,
} from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createPipes } from '../testing/pipes.ts';
import { equalBytes, pattern } from '../transport/values.ts';
import type { FaultyOptions } from './faults.ts';
import { type FaultyStreamLayer, faulty } from './faulty.ts';

test('a seed alters the same bytes however they are cut into chunks; another seed alters others', async (t) => {
  const one = await altered({ seed: 5 }, 1_000);
  t.true(one.length > 5, `${one.length} bytes were altered`);
  t.deepEqual(await altered({ seed: 5 }, 77), one);
  t.notDeepEqual(await altered({ seed: 6 }, 1_000), one);
});

test('a random cut happens at the same byte, and earlier data arrives', async (t) => {
  const lengths = await Promise.all([1_000, 333].map(cutAfter));
  t.true(lengths[0]! > 0 && lengths[0]! < 50_000);
  t.is(lengths[0], lengths[1]);
});

test('a random stall delays the bytes behind it for its duration', async (t) => {
  const clock = createManualClock();
  const { near, far } = await pair({ clock, seed: 2, stallEvery: 1_000, stallTime: 700 });
  const start = clock.now();
  for (let i = 0; i < 10; i++) near.connection.write(pattern(1_000));
  while (far.size < 10_000) {
    clock.advance(100);
    await turn();
  }
  const stalls = Math.round((clock.now() - start) / 700);
  t.true(stalls >= 3, `${stalls} stalls`);
});

test('bytes that wait for a slow line are sent once the line is healed', async (t) => {
  const clock = createManualClock();
  const { network, near, far } = await pair({ clock, bandwidth: 1 });
  near.connection.write(pattern(5_000));
  clock.advance(1_000);
  await turn();
  t.is(far.size, 0);
  network.heal();
  await far.until(() => far.size === 5_000);
  t.is(clock.timers, 0);
});

test('one direction can be dead while the other one works', async (t) => {
  const { network, near, far } = await pair({});
  network.set({ halfOpen: true }, 'in');
  near.connection.write(pattern(10));
  far.connection.write(pattern(10));
  await far.until(() => far.size === 10);
  await turn();
  t.is(near.size, 0);
  network.heal();
  await Promise.all([near, far].map((end) => end.until(() => end.isOver)));
  t.is(near.error?.reason, 'reset');
});

test('a writer to a dead line waits once the window is full', async (t) => {
  const { network, near } = await pair({ window: 10_000 });
  network.set({ halfOpen: true });
  t.true(near.connection.write(pattern(10_000)));
  t.false(near.connection.write(pattern(1)));
  t.is(network.connections, 1);
});

test('a connection closed on a dead line ends for its owner at once, and for the other end once the line works again', async (t) => {
  const { network, near, far } = await pair({});
  network.set({ halfOpen: true });
  near.connection.destroy();
  await near.until(() => near.isOver);
  await turn();
  t.false(far.isOver);
  t.is(network.connections, 0);
  network.heal();
  await far.until(() => far.isOver);
  t.is(far.error?.reason, 'reset');
});

test('close on a dead line gives up after a second', async (t) => {
  const clock = createManualClock();
  const { network, near, far } = await pair({ clock });
  network.set({ stalled: true });
  near.connection.write(pattern(10));
  near.connection.close();
  clock.advance(900);
  await turn();
  t.false(near.isOver);
  clock.advance(200);
  await near.until(() => near.isOver);
  t.is(near.error?.reason, 'reset');
  t.is(clock.timers, 0);
  network.heal();
  await far.until(() => far.isOver);
});

test('close on a line that has been stalled for long still waits a second', async (t) => {
  const clock = createManualClock();
  const { network, near, far } = await pair({ clock });
  network.set({ stalled: true });
  near.connection.write(pattern(10));
  clock.advance(5_000);
  near.connection.close();
  clock.advance(900);
  await turn();
  t.false(near.isOver);
  network.heal();
  await Promise.all([near, far].map((end) => end.until(() => end.isOver)));
  t.is(far.size, 10);
  t.is(near.error, undefined);
});

test('a window that shrinks below what waits does not stop the reader for good', async (t) => {
  const clock = createManualClock();
  const { network, near, far } = await pair({ clock });
  network.set({ delay: 100 });
  far.connection.write(pattern(5_000));
  await turn();
  network.set({ window: 1_000 });
  near.connection.pause();
  near.connection.resume();
  await turn();
  clock.advance(100);
  await turn();
  t.is(near.size, 5_000);
  far.connection.write(pattern(10));
  await turn();
  clock.advance(100);
  await turn();
  t.is(near.size, 5_010);
});

test('the notice that a layer will lose the connection soon reaches the sink', async (t) => {
  const pipes = createPipes();
  const [server, client] = [pipes.layer(), pipes.layer()];
  await server.listen((connection) => void new End(connection));
  let beneath: StreamSink | undefined;
  const dial: typeof client.dial = async (address, options) => {
    const inner = await client.dial(address, options);
    return { ...inner, attach: (sink) => inner.attach((beneath = sink)) };
  };
  const connection = await faulty({ ...client, dial }).dial(server.localAddr(), { timeout: 1_000 });
  const said: string[] = [];
  const ignored = () => {};
  connection.attach({
    data: ignored,
    frames: ignored,
    drained: ignored,
    closed: ignored,
    leave: (text) => said.push(text),
  });
  beneath?.leave?.('the server shuts down');
  t.deepEqual(said, ['the server shuts down']);
});

test('nothing from behind a random cut arrives, however often the reader resumes', async (t) => {
  const { network, near, far } = await pair({ seed: 9 });
  network.set({ cutEvery: 5_000, stalled: true }, 'in');
  const bytes = pattern(50_000);
  for (let at = 0; at < 50_000; at += 1_000) far.connection.write(bytes.slice(at, at + 1_000));
  await turn();
  near.connection.resume();
  near.connection.resume();
  network.set({ stalled: false });
  await near.until(() => near.isOver);
  t.true(near.size < 50_000);
  t.true(equalBytes(near.bytes(), bytes.subarray(0, near.size)));
});

test('the other random faults do not change which bytes are altered', async (t) => {
  const others = { jitter: 1, stallEvery: 700, stallTime: 0 };
  t.deepEqual(await altered({ seed: 5, ...others }, 77), await altered({ seed: 5 }, 1_000));
});

test('a wrapped backend keeps its credit and its channels, and a wrapped layer can stop listening', (t) => {
  const [credit, channels] = [{ inbox: 4_096 }, {} as TraceChannels];
  const layer = () => ({ ...createPipes().layer(), stopListening: () => void stops++ });
  const backend = faulty({ schemes: ['pipe'], layer, credit, channels });
  t.is(backend.credit, credit);
  t.is(backend.channels, channels);
  let stops = 0;
  faulty(layer()).stopListening?.();
  t.is(stops, 1);
  t.is(faulty(createPipes().layer()).stopListening, undefined);
});

test('without a given seed one is drawn and reported', (t) => {
  t.is(faulty(createPipes().layer(), { random: () => 0.5 }).seed, 0x4000_0000);
  t.is(faulty({ schemes: ['pipe'], layer: () => createPipes().layer() }, { seed: -3 }).seed, -3);
});

test('the error names an invalid option or fault', (t) => {
  const layer = createPipes().layer();
  t.throws(() => faulty(layer, { delay: -1 }), {
    instanceOf: TypeError,
    message: /^faulty: delay: must be milliseconds from 0 .*, got -1$/,
  });
  t.throws(() => faulty(layer, { dely: 1 } as FaultyOptions), {
    instanceOf: TypeError,
    message: /did you mean 'delay'/,
  });
  t.throws(() => faulty(layer).set({ bandwidth: 0 }), {
    instanceOf: TypeError,
    message: /^faulty: set: bandwidth: must be bytes a second above 0/,
  });
  t.throws(() => faulty(layer).set({}, 'up' as 'out'), {
    instanceOf: TypeError,
    message: /direction: must be 'out', 'in' or 'both', got "up"/,
  });
});

test('a Buffer that is written is neither altered nor read later', async (t) => {
  const { near, far } = await pair({ corruptEvery: 10, bandwidth: 1_000_000 });
  const given = Buffer.from(pattern(1_000));
  near.connection.write(given);
  t.deepEqual(new Uint8Array(given), pattern(1_000));
  given.fill(0);
  await far.until(() => far.size === given.length);
  t.true(far.bytes().some((byte) => byte !== 0));
});

/** Returns the positions of the altered bytes among 20,000. */
async function altered(options: FaultyOptions, size: number): Promise<number[]> {
  const { near, far } = await pair({ ...options, corruptEvery: 1_000 });
  const bytes = pattern(20_000);
  for (let at = 0; at < bytes.length; at += size)
    near.connection.write(bytes.subarray(at, at + size));
  await far.until(() => far.size === bytes.length);
  const got = far.bytes();
  return [...bytes.keys()].filter((at) => got[at] !== bytes[at]);
}

/** Returns the number of bytes that arrive before the connection is cut at random. */
async function cutAfter(size: number): Promise<number> {
  const { near, far } = await pair({ seed: 9, cutEvery: 5_000 });
  const bytes = pattern(50_000);
  for (let at = 0; at < bytes.length; at += size)
    near.connection.write(bytes.subarray(at, at + size));
  await far.until(() => far.isOver);
  return far.size;
}

async function pair(
  options: FaultyOptions,
): Promise<{ network: FaultyStreamLayer; near: End; far: End }> {
  const pipes = createPipes();
  const [server, network] = [pipes.layer(), faulty(pipes.layer(), { seed: 1, ...options })];
  let far: End | undefined;
  await server.listen((connection) => {
    far = new End(connection);
  });
  const near = new End(await network.dial(server.localAddr(), { timeout: 1_000 }));
  return { network, near, far: far! };
}

/** One end, and a record of its events. */
class End implements StreamSink {
  readonly connection: StreamConnection;
  readonly #chunks: Uint8Array[] = [];
  #check = () => {};
  size = 0;
  isOver = false;
  error: Parameters<StreamSink['closed']>[0];

  constructor(connection: StreamConnection) {
    this.connection = connection;
    connection.attach(this);
  }

  data(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.size += chunk.length;
    this.#check();
  }

  frames(): void {}

  drained(): void {}

  closed(error?: Parameters<StreamSink['closed']>[0]): void {
    this.isOver = true;
    this.error = error;
    this.#check();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (holds()) resolve();
      };
      this.#check();
    });
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

/** Waits until everything in flight within this process has arrived. */
async function turn(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
