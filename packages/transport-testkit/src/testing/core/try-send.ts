// Cases about trySend and trySendAll, which never wait, and about writable, which resolves when
// there is room again.

import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { rejected, thrown } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import { kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { pattern, textOf, utf8, watch } from '../../transport/values.ts';
import { served } from './shared.ts';

export const trySendCases: Cases = (test) => {
  test('trySend is false when the receiver is full, and true once writable says so', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('note');
    await a.dial(at);
    let taken = 0;
    while (a.trySend(at, 'note', pattern(10_000)))
      if (++taken > 5_000) throw new Error('nothing ever bounded trySend');
    t.true(taken > 20);
    t.false(a.trySend(at, 'note', pattern(10_000)));
    const writable = a.writable(at);
    const state = watch(writable);
    await f.turns(5);
    t.false(state.settled, 'nobody reads');
    for (let i = 0; i < taken; i++) await consumer.next();
    await writable;
    t.true(a.trySend(at, 'note', pattern(10_000)));
    await consumer.next();
  });

  test('trySend throws for a message that can never be sent', async (f, t) => {
    const { a, at } = await served(f, {}, { b: { limits: { message: 100_000 } } });
    await a.dial(at);
    thrown(t, () => a.trySend(at, 'note', pattern(100_001)), {
      code: 'resource_exhausted',
      sent: false,
    });
    const wrong = a.trySend as (target: unknown, method: string, request: unknown) => boolean;
    t.throws(() => wrong.call(a, at, 'nonsense', utf8('')), { instanceOf: TypeError });
    t.throws(() => wrong.call(a, at, 'echo', utf8('')), { instanceOf: TypeError });
    t.throws(() => wrong.call(a, 42, 'note', utf8('')), { instanceOf: TypeError });
  });

  test('trySendAll returns a result per target in order and encodes once', async (f, t) => {
    let encoded = 0;
    const counting = {
      ...bytes,
      encode(value: Uint8Array) {
        encoded++;
        return value;
      },
    };
    const told = defineProtocol({
      name: 'testkit/told',
      version: 1,
      channel: 0x43,
      methods: { tell: { id: 1, request: counting } },
    });
    const a = await f.open(told);
    const others = [await f.open(told), await f.open(told), await f.open(told)];
    const got: string[] = [];
    for (const [i, other] of others.entries()) {
      f.link(a, other);
      serve(other, { tell: (request) => got.push(`${i} ${textOf(request)}`) });
      if (i !== 1) await a.dial(other.advertiseAddr());
    }
    encoded = 0;
    const at = others.map((other) => other.advertiseAddr());
    t.deepEqual(a.trySendAll(at, 'tell', utf8('all')), [true, false, true]);
    t.is(encoded, 1);
    await f.until('both peers have the message', () => got.length === 2);
    t.deepEqual(got.sort(), ['0 all', '2 all']);
  });

  test('writable rejects with the error of the dial, or of a Remote that is gone', async (f, t) => {
    const { a, at } = await f.pair();
    await rejected(t, a.writable(f.backend.unreachable()), { code: 'unavailable' });
    const remote = await a.dial(at);
    await a.disconnect(remote);
    await rejected(t, a.writable(remote), { code: 'unavailable' });
  });

  test('writable rejects if its connection is lost while it waits for room', async (f, t) => {
    const wire = createWire();
    const { a, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    const remote = await a.dial(at);
    while (a.trySend(at, 'note', pattern(10_000)));
    const waits = a.writable(remote);
    const state = watch(waits);
    await f.turns(3);
    t.false(state.settled);
    wire.cut();
    await rejected(t, waits, { code: 'unavailable' });
  });

  test('no more than limits.outbound wait until a connection is writable; one more is refused at once', async (f, t) => {
    const { a, at } = await f.pair({ a: { limits: { outbound: { messages: 3 } } } });
    const remote = await a.dial(at);
    // The queue stays full: nobody reads, so the receiver's credit is used up, and everything
    // that could be sent has been sent.
    for (let full = 0; full < 5; ) {
      full = a.trySend(at, 'note', pattern(10_000)) ? 0 : full + 1;
      await f.turns(2);
    }
    const waits = Array.from({ length: 3 }, () =>
      rejected(t, a.writable(remote), { code: 'unavailable' }),
    );
    await rejected(t, a.writable(remote), { code: 'resource_exhausted' });
    await f.drive(a.disconnect(remote));
    await Promise.all(waits);
  });

  test('a target that can never accept the message does not affect the other targets of trySendAll', async (f, t) => {
    const a = await f.open(kit);
    const others = [
      await f.open(kit),
      await f.open(kit, { limits: { message: 5_000, packet: 4_096 } }),
      await f.open(kit),
    ];
    const got: number[] = [];
    for (const [i, other] of others.entries()) {
      f.link(a, other);
      serveKit(other, { note: () => got.push(i) });
      await a.dial(other.advertiseAddr());
    }
    const targets = others.map((other) => other.advertiseAddr());
    t.deepEqual(a.trySendAll(targets, 'note', pattern(5_001)), [true, false, true]);
    await f.until('the other peers have the message', () => got.length === 2);
    t.deepEqual(got.sort(), [0, 2]);
  });
};
