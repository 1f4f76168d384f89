// Cases about downloads that nobody begins to read: they don't keep the places of others forever.

import { systemClock } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import type { KitTransport } from '../../transport/protocols.ts';
import { NO_PINGS, rangeOf, serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, listOf, streamOf, utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

export const unreadCases: Cases = (test) => {
  test('a stream that nobody begins to read gives its place to a call that waits for one', async (f, t) => {
    const options = { limits: { streams: 4 }, keepAlive: NO_PINGS };
    const { a, at } = await served(f, {}, { a: options, b: options });
    const open = () => a.send(at, 'range', rangeOf(1_000, 1_000), { timeout: Infinity });
    const begun = (await open())[Symbol.asyncIterator]();
    await begun.next();
    const first = await open();
    await f.advance(1_000);
    const others = [await open(), await open()];
    const text = /waiting to be sent; 3 streams that nobody reads hold places/;
    const late = rejected(t, a.send(at, 'range', rangeOf(1, 1), { timeout: 1_000 }), {
      code: 'deadline_exceeded',
      sent: false,
      message: text,
    });
    await f.advance(1_250);
    await late;
    const next = a.send(at, 'range', rangeOf(2, 1), { timeout: Infinity });
    await f.advance(2_000);
    t.is(streams(a), 4, 'none was open for 5 s');
    await f.advance(1_500);
    t.is((await listOf(await f.event('the call that waits', next))).length, 2);
    await rejected(t, listOf(first), {
      code: 'resource_exhausted',
      message: /nobody began to read its items for 5000 ms/,
    });
    for (const items of others) t.is((await listOf(items)).length, 1_000);
    for (let i = 1; i < 1_000; i++) t.false((await begun.next()).done);
  });

  test('a duplex call whose upload goes on keeps its place unread', async (f, t) => {
    const options = { limits: { streams: 1 }, keepAlive: NO_PINGS };
    const gate = deferred();
    let uploaded = 0;
    const { a, b, at } = await f.pair({ a: options, b: options });
    serveKit(b, {
      async pipe(_request, rpc) {
        for await (const _ of rpc.upload) uploaded++;
      },
    });
    async function* upload() {
      yield utf8('one');
      await gate.promise;
      yield utf8('two');
    }
    await a.send(at, 'pipe', utf8(''), { upload: upload(), timeout: Infinity });
    const next = a.send(at, 'range', rangeOf(2, 1), { timeout: Infinity });
    await f.advance(10_000, 1_000);
    t.is(uploaded, 1);
    gate.resolve();
    t.is((await listOf(await f.event('the call that waits', next))).length, 2);
    t.is(uploaded, 2);
  });

  test.alone('a stream that is garbage before it is read is canceled', async (f, t) => {
    const collect = f.backend.probe?.collect;
    if (collect === undefined) {
      t.pass('the garbage collector cannot be called');
      return;
    }
    const clock = systemClock;
    let gone = 0;
    let items = 0;
    const gate = deferred();
    const handler = (rpc: { readonly signal: AbortSignal }) => {
      rpc.signal.addEventListener('abort', () => gone++);
      return gate.promise;
    };
    const { a, b, at } = await f.pair({ a: { clock }, b: { clock } });
    serveKit(b, {
      range: (request, rpc) =>
        request.length === 0 ? (handler(rpc) as never) : streamOf([utf8('read')]),
      async pipe(_request, rpc) {
        const ending = handler(rpc);
        for await (const _ of rpc.upload) items++;
        await ending;
      },
    });
    const reading = (await a.send(at, 'range', utf8('')))[Symbol.asyncIterator]();
    const pending = reading.next();
    const more = deferred();
    await drop(a, at, more.promise);
    await f.until('the handlers of the downloads that were dropped have ended', () => {
      collect();
      return gone === 4;
    });
    await f.until('the first items of the uploads', () => items === 2);
    more.resolve();
    await f.until('the handlers of the streams that were dropped have ended', () => {
      collect();
      return gone === 6;
    });
    t.is(items, 4, 'uploads were not cut');
    await f.until('their places are free', () => streams(a) === 1);
    gate.resolve();
    t.true((await pending).done);
    t.is((await listOf(await a.send(at, 'range', utf8('more')))).length, 1);
  });
};

/** Makes streaming calls and drops them; their uploads go on when `more` resolves. */
async function drop(a: KitTransport, at: string, more: Promise<void>): Promise<void> {
  async function* upload() {
    yield utf8('item');
    await more;
    yield utf8('item');
  }
  for (let i = 0; i < 2; i++) {
    await a.send(at, 'range', utf8(''));
    void a.send(at, 'range', utf8(''));
    await a.send(at, 'pipe', utf8(''), { upload: upload() });
  }
}

function streams(transport: KitTransport): number {
  return transport.snapshot().connections.reduce((sum, each) => sum + each.streams, 0);
}
