// Tests of all kinds of calls between two sessions, as callers and handlers see them: promises,
// iterables, signals and deadlines.

import test from 'ava';
import type { TransportError } from '../errors.ts';
import type { Call } from './call.ts';
import type { IncomingRpc } from './rpc.ts';
import { CallFixture, errorOf, one } from './testing/call-fixture.ts';

const items = (call: Call) => call.promise as Promise<AsyncIterableIterator<Uint8Array>>;

test('an error of a deadline says how far the call got, in whole milliseconds', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: () => new Promise(() => {}) });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(1), { timeout: 100 / 3 });
  await fixture.rest();
  fixture.pair.pass(50);
  const { code, message } = await errorOf(call);
  t.is(code, 'deadline_exceeded');
  t.regex(message, /^calls\/ask to there: 33 ms passed; no response arrived/);
});

test('the timeout of a method limits each wait of a stream, that of a call the whole, and a default neither', async (t) => {
  for (const [name, own, expected] of [
    ['steady', false, ['item', 'item', 'item', 'deadline_exceeded']],
    ['steady', true, ['item', 'deadline_exceeded', 'done', 'done']],
    ['get', true, ['item', 'deadline_exceeded', 'done', 'done']],
    ['get', false, ['item', 'item', 'item', 'item']],
  ] as const) {
    const fixture = new CallFixture();
    const writers: IncomingRpc[] = [];
    fixture.serve(fixture.pair.acceptor, {
      [name]: (_request: unknown, rpc: unknown) => {
        writers.push(rpc as IncomingRpc);
        return new Promise(() => {});
      },
    });
    const call = fixture.call(fixture.pair.dialer, name, one(0), own ? { timeout: 10_000 } : {});
    await fixture.rest();
    const reader = await items(call);
    const fates: string[] = [];
    for (const wait of [6_000, 6_000, 6_000, 11_000]) {
      const next = reader.next().then(
        ({ done }) => void fates.push(done ? 'done' : 'item'),
        (failure: TransportError) => void fates.push(failure.code),
      );
      fixture.pair.pass(wait);
      await fixture.rest();
      writers[0]!.write(one(1)).catch(() => {});
      await fixture.rest();
      await next;
    }
    t.deepEqual(fates, expected);
  }
});

test('each item of an upload extends the timeout of its method, even after silence', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    async fill(_request: unknown, rpc: unknown) {
      let count = 0;
      for await (const _ of (rpc as IncomingRpc).upload!) count++;
      return one(count);
    },
  });
  let give: ((isLast: boolean) => void) | undefined;
  async function* upload() {
    while (!(await new Promise<boolean>((resolve) => (give = resolve)))) yield one(1);
  }
  const call = fixture.call(fixture.pair.dialer, 'fill', one(0), { upload: upload() });
  for (let item = 0; item < 3; item++) {
    await fixture.rest();
    // Nobody is woken in the meantime.
    fixture.pair.now += 6_000;
    give!(false);
  }
  await fixture.rest();
  fixture.pair.pass(6_000);
  give!(true);
  await fixture.rest();
  t.deepEqual(await call.promise, one(3));
});
