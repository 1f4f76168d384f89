// A protocol whose downloads are numbered, so that tests see each gap and each duplicate, and a
// server and a client on a network that can be cut.

import {
  bytes,
  type Clock,
  type Codec,
  type CommonOptions,
  createTransport,
  defineProtocol,
  type Handlers,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import type { ManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import { faulty } from '@trunkline/transport-testkit';
import type { ExecutionContext } from 'ava';
import { type Resumable, type ResumableOptions, resumable } from '../../index.resumption.ts';

/** Numbers as text. */
export const number: Codec<number> = {
  name: 'number',
  encode: (value) => new TextEncoder().encode(String(value)),
  decode: (encoded) => Number(new TextDecoder().decode(encoded)),
};

export const feed = defineProtocol({
  name: 'feed',
  methods: {
    count: { id: 1, request: number, download: number },
    blobs: { id: 2, request: number, download: bytes },
    ask: { id: 3, request: number, response: number },
  },
});

export type Feed = typeof feed;
export type CountHandler = Parameters<typeof resumable<Feed, 'count'>>[2];

/** A server whose `count` is resumable, and a client whose connections `cut` resets. */
export interface Fixture {
  readonly server: Transport<Feed>;
  readonly client: Transport<Feed>;
  readonly count: Resumable<Feed, 'count'>;
  cut(): void;
}

/** Starts a server in memory with these handlers, and a client over a network that can be cut. */
export async function serving(
  t: ExecutionContext,
  handlers: (server: Transport<Feed>) => Handlers<Feed>,
  options: CommonOptions = {},
) {
  const memory = inmem();
  const network = faulty(memory, { seed: 1 });
  const server = createTransport('inmem://server', {
    ...options,
    protocol: feed,
    backends: [memory],
  });
  serve(server, handlers(server));
  await server.listen();
  const client = createTransport({ ...options, protocol: feed, backends: [network] });
  t.teardown(() => Promise.all([client.close(), server.close()]));
  return { server, client, network };
}

/** Starts a server whose `count` is resumable, and a client. */
export async function fixture(
  t: ExecutionContext,
  handler: CountHandler,
  options: ResumableOptions<number> = {},
  clock?: Clock,
): Promise<Fixture> {
  let count!: Fixture['count'];
  const { server, client, network } = await serving(
    t,
    (server) => {
      count = resumable(server, 'count', handler, options);
      return { count, ask: (value) => value };
    },
    { clock },
  );
  return { server, client, count, cut: () => network.cut() };
}

/** Yields the numbers from 0 to `end`. */
export async function* upTo(end: number): AsyncGenerator<number, void> {
  for (let value = 0; value < end; value++) yield value;
}

/** Reads the next item of a stream; fails if there is none. */
export async function next<T>(items: AsyncIterator<T>): Promise<T> {
  const result = await items.next();
  if (result.done === true) throw new Error('the stream has ended');
  return result.value;
}

/** Reads a stream to its end. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

/**
 * Advances a clock in small steps until a promise settles. Returns the promise's value or throws
 * its error.
 */
export async function advanceUntil<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => (isSettled = true);
  promise.then(settle, settle);
  for (let step = 0; step < 100_000 && !isSettled; step++) {
    await idle();
    if (!isSettled) clock.advance(20);
  }
  return promise;
}

/** Resolves as soon as a condition holds, which is checked in each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets a few turns of the event loop pass, for consequences that no test can observe. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
