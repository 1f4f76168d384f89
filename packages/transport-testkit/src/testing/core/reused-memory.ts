// Cases about programs that use one buffer again and again: what they have sent stays as it was.

import { serve } from '@trunkline/transport-core';
import { type KitTransport, side } from '../../transport/protocols.ts';
import type { Cases } from '../../transport/suite.ts';
import { textOf, utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

/**
 * Sizes below and from 65,536, the size from which core sends bytes from the program's memory
 * (`LENT` in its wire/frame.ts): the program must not change them before the call has settled.
 */
const SIZES = [10, 20_000, 65_535, 65_536, 150_000];
const COUNT = 8;

export const reusedMemoryCases: Cases = (test) => {
  test('a request is as it was when it was sent, although its memory is used again', async (f, t) => {
    const { a, at } = await served(f, { echo: (request) => utf8(shown(request)) });
    for (const size of SIZES.filter((size) => size < 65_536)) {
      const memory = new Uint8Array(size);
      const answers = Array.from({ length: COUNT }, (_, i) => {
        memory.fill(i);
        const answer = a.send(at, 'echo', memory);
        memory.fill(99);
        return answer;
      });
      const texts = (await Promise.all(answers)).map((answer) => textOf(answer));
      t.deepEqual(texts, expected(size));
    }
  });

  test('a one-way is as it was sent, although its memory is used again when it has settled', async (f, t) => {
    const { a, b, at } = await f.pair();
    const seen: string[] = [];
    // The request of `note` of the kit's protocol is `owned`, so its memory must not be used again.
    serve(b.mount(side), { note: (request) => void seen.push(shown(request)) });
    const caller = a.mount(side);
    for (const size of SIZES) {
      seen.length = 0;
      const memory = new Uint8Array(size);
      for (let i = 0; i < COUNT; i++) {
        await caller.send(at, 'note', memory.fill(i));
        memory.fill(99);
      }
      await f.until(`${COUNT} messages of ${size} bytes`, () => seen.length === COUNT);
      t.deepEqual(seen, expected(size));
    }
  });

  test('an answer is as it was, although its memory is used again', async (f, t) => {
    const memory = new Uint8Array(65_535);
    let calls = 0;
    const { a, at } = await served(f, { echo: () => memory.fill(calls++) });
    const answers = await Promise.all(
      Array.from({ length: COUNT }, () => a.send(at, 'echo', utf8(''))),
    );
    t.deepEqual(answers.map(shown), expected(65_535));
  });

  test('items are as they were, although their source uses its memory again', async (f, t) => {
    const { a, at } = await served(f, {
      async *range(request) {
        yield* items(Number(textOf(request)));
      },
      async *pipe(_request, rpc) {
        for await (const item of rpc.upload) yield utf8(shown(item));
      },
    });
    const upload = async (size: number) => {
      const seen: string[] = [];
      for await (const item of await a.send(at, 'pipe', utf8(''), { upload: items(size) }))
        seen.push(textOf(item));
      t.deepEqual(seen, expected(size));
    };
    for (const size of SIZES) {
      await atOnce(async () => t.deepEqual(await downloaded(a, at, size), expected(size)));
      await atOnce(() => upload(size));
    }
  });

  test('an item is as it was written, although its memory is used again when the write has settled', async (f, t) => {
    const { a, at } = await served(f, {
      async range(request, rpc) {
        const memory = new Uint8Array(Number(textOf(request)));
        for (let i = 0; i < COUNT; i++) {
          await rpc.write(memory.fill(i));
          memory.fill(99);
        }
        rpc.end();
      },
    });
    for (const size of SIZES)
      await atOnce(async () => t.deepEqual(await downloaded(a, at, size), expected(size)));
  });
};

/** Runs several calls, so that their items wait for each other. */
async function atOnce(call: () => Promise<unknown>): Promise<void> {
  await Promise.all([1, 2, 3, 4].map(call));
}

async function downloaded(from: KitTransport, at: string, size: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const item of await from.send(at, 'range', utf8(String(size)))) seen.push(shown(item));
  return seen;
}

/** Yields `COUNT` items in the same memory. */
async function* items(size: number): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(size);
  for (let i = 0; i < COUNT; i++) {
    yield memory.fill(i);
    memory.fill(99);
  }
}

/** Returns the size and the different bytes of a message. */
function shown(message: Uint8Array): string {
  return `${message.length} of ${[...new Set(message)]}`;
}

function expected(size: number): string[] {
  return Array.from({ length: COUNT }, (_, i) => `${size} of ${i}`);
}
