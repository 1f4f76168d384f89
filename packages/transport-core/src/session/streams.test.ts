// Tests both ends of a stream of items: credit, order, and the end.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes } from '../protocol/bytes.ts';
import { Account, Kind } from '../wire/frame.ts';
import { FrameCollector } from '../wire/frame-collector.ts';
import { Outgoing } from './outgoing/outgoing.ts';
import type { ReceiveAccount } from './receive-account.ts';
import { InStream, OutStream } from './streams.ts';
import { OutboxFixture } from './testing/outbox-fixture.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const BROKEN = new TransportError('unavailable', 'gone');

function out(credit = 1_000, limits = SMALL) {
  const fixture = new OutboxFixture(limits);
  fixture.context.terms = { ...fixture.context.terms, stream: credit };
  const lanes = fixture.lanes(0x20);
  const seen = { progress: 0 };
  return {
    fixture,
    lanes,
    seen,
    stream: new OutStream(
      fixture.context,
      fixture.outbox,
      lanes,
      7,
      bytes,
      () => void seen.progress++,
    ),
  };
}

/** Tracks whether a promise is still waiting, was fulfilled or failed. */
function fate(promise: Promise<void>): { state: string; error?: unknown } {
  const result: { state: string; error?: unknown } = { state: 'waits' };
  promise.then(
    () => void (result.state = 'written'),
    (error) => Object.assign(result, { state: 'failed', error }),
  );
  return result;
}

test('an item is sent at once if there is room, and its write resolves', async (t) => {
  const { fixture, stream, seen } = out();
  await stream.write(new Uint8Array(10));
  t.deepEqual(
    fixture.pump().map(({ kind, id }) => [kind, id]),
    [[Kind.ITEM, 7]],
  );
  t.is(seen.progress, 1);
});

test('items wait for the receiver’s credit, one at a time, and keep their order', async (t) => {
  const { fixture, stream } = out(100);
  const fates = [1, 2, 3].map((number) => fate(stream.write(new Uint8Array(100).fill(number))));
  await null;
  t.deepEqual(
    fates.map(({ state }) => state),
    ['written', 'waits', 'waits'],
  );
  t.true(stream.busy);
  fixture.pump();
  t.true(stream.grant(65, 0x7fff_ffff));
  fixture.pump();
  await null;
  t.deepEqual(
    fates.map(({ state }) => state),
    ['written', 'written', 'waits'],
  );
  stream.grant(164 + 64, 0x7fff_ffff);
  fixture.pump();
  await null;
  t.is(fates[2]!.state, 'written');
  t.deepEqual(
    fixture.frames.map(({ payload }) => payload[0]),
    [1, 2, 3],
  );
  t.is(fixture.context.usage.held, 0);
});

test('an account overdrawn by one item starts the next only above 0', (t) => {
  const { fixture, stream } = out(1);
  void stream.write(new Uint8Array(packet));
  fixture.pump();
  void stream.write(new Uint8Array(1));
  stream.grant(packet + 63, 0x7fff_ffff);
  t.is(fixture.pump().length, 0);
  stream.grant(1, 0x7fff_ffff);
  t.is(fixture.pump().length, 1);
});

test('a long item is one write of many packets', async (t) => {
  const { fixture, stream, seen } = out(10_000);
  const written = fate(stream.write(new Uint8Array(3 * packet)));
  t.is(written.state, 'waits');
  t.deepEqual(
    fixture.pump().map(({ kind, size }) => [kind, size]),
    [
      [Kind.ITEM, 3 * packet],
      [Kind.PART, 0],
      [Kind.PART, 0],
    ],
  );
  await null;
  t.is(written.state, 'written');
  t.is(seen.progress, 3);
});

test('an item above the limit of the peer fails, and the stream continues', async (t) => {
  const { fixture, stream } = out();
  fixture.context.terms = { ...fixture.context.terms, item: 50 };
  const error = (await t.throwsAsync(stream.write(new Uint8Array(51)))) as TransportError;
  t.deepEqual([error.code, error.reason, error.sent], ['resource_exhausted', 'too_large', false]);
  await t.notThrowsAsync(stream.write(new Uint8Array(50)));
});

test('the end follows the written items', async (t) => {
  const { fixture, stream } = out(1);
  const finished: string[] = [];
  void stream.write(new Uint8Array(10));
  const second = fate(stream.write(new Uint8Array(10)));
  stream.close(undefined, () => void finished.push('end'));
  fixture.pump();
  t.deepEqual(finished, []);
  stream.grant(1_000, 0x7fff_ffff);
  fixture.pump();
  await null;
  t.is(second.state, 'written');
  t.deepEqual(
    fixture.frames.map(({ kind }) => kind),
    [Kind.ITEM, Kind.ITEM, Kind.END],
  );
  t.deepEqual(finished, ['end']);
});

test('an end needs no credit, and may be an ERROR', (t) => {
  const { fixture, stream } = out(0);
  const told = { code: 10, reason: 0, text: '', metadata: undefined };
  const error = Outgoing.error(7, 0, told, stream);
  stream.close(error);
  t.deepEqual(
    fixture.pump().map(({ kind, code }) => [kind, code]),
    [[Kind.ERROR, 10]],
  );
});

test('after the end a write is refused, and a second end does nothing', async (t) => {
  const { fixture, stream } = out();
  stream.close(undefined);
  stream.close(undefined);
  await t.throwsAsync(stream.write(new Uint8Array(1)), { message: /has already ended/ });
  t.is(fixture.pump().length, 1);
  t.false(stream.stopped);
});

test('a stopped stream rejects all its writers with the reason, and sends nothing more', async (t) => {
  const { fixture, stream } = out(1);
  void stream.write(new Uint8Array(10));
  fixture.pump();
  const fates = [fate(stream.write(new Uint8Array(10))), fate(stream.write(new Uint8Array(10)))];
  stream.grant(64 + 10, 0x7fff_ffff);
  stream.stop(BROKEN);
  stream.stop(new TransportError('aborted', 'twice'));
  t.true(stream.stopped);
  await new Promise(setImmediate);
  for (const { error } of fates) t.is(error, BROKEN);
  t.is(await t.throwsAsync(stream.write(new Uint8Array(1))), BROKEN);
  t.is(fixture.pump().length, 0);
  t.is(fixture.context.usage.held, 0);
});

test('waiting items are bounded: a writer that does not await its writes gets an error', async (t) => {
  const { stream, fixture } = out(1, { ...SMALL, outbound: { messages: 3, bytes: 1_000_000 } });
  const fates = Array.from({ length: 6 }, () => fate(stream.write(new Uint8Array(10))));
  await new Promise(setImmediate);
  t.true(fates.filter(({ state }) => state === 'failed').length >= 1);
  t.is((fates.at(-1)!.error as TransportError).code, 'resource_exhausted');
  stream.stop(BROKEN);
  t.is(fixture.context.usage.held, 0);
});

test('an account above 2^31 − 1 is a violation', (t) => {
  const { stream } = out(1);
  t.true(stream.grant(0x7fff_fffe, 0x7fff_ffff));
  t.false(stream.grant(1, 0x7fff_ffff));
});

function into(limits = SMALL) {
  const { context } = new OutboxFixture(limits);
  const owing: ReceiveAccount[] = [];
  const stream = new InStream(
    context,
    { credit: (receiving) => void owing.push(receiving), holds: () => {} },
    9,
  );
  const paid = () => {
    const collector = new FrameCollector();
    for (const receiving of owing.splice(0)) receiving.write(collector);
    return collector.take().map(({ account, id, credit }) => [account, id, credit]);
  };
  return { context, stream, paid };
}

test('items are read in order, held until then, and their credit is returned', (t) => {
  const { context, stream, paid } = into();
  const items = [1, 2].map((number) => new Uint8Array(3_000).fill(number));
  for (const item of items) {
    t.true(stream.account.spend(3_064));
    stream.push(item, 3_064);
  }
  t.is(context.usage.held, 6_128);
  t.is(stream.take(), items[0]);
  t.is(context.usage.held, 3_064);
  t.deepEqual(paid(), [[Account.STREAM, 9, 3_064]]);
  t.is(stream.take(), items[1]);
  t.is(stream.take(), undefined);
  t.is(context.usage.held, 0);
});

test('a waiting reader is notified once of an item, and of the end', (t) => {
  const { stream } = into();
  let told = 0;
  stream.wait(() => void told++);
  stream.push(new Uint8Array(1), 65);
  stream.push(new Uint8Array(1), 65);
  t.is(told, 1);
  stream.wait(() => void told++);
  stream.end(undefined);
  stream.end(BROKEN);
  t.is(told, 2);
  t.is(stream.error, undefined);
});

test('no credit is held back while the reader waits', (t) => {
  const { stream, paid } = into();
  stream.account.spend(65);
  stream.push(new Uint8Array(1), 65);
  stream.take();
  t.deepEqual(paid(), []);
  stream.wait(() => {});
  t.deepEqual(paid(), [[Account.STREAM, 9, 65]]);
});

test('items that were complete before the end can still be read; no credit follows them', (t) => {
  const { stream, paid } = into();
  stream.account.spend(8_000);
  stream.push(new Uint8Array(7_936), 8_000);
  stream.end(BROKEN);
  t.is(stream.take()?.length, 7_936);
  t.deepEqual(paid(), []);
  t.is(stream.error, BROKEN);
});

test('a reader that has left drops present and later items, and their credit is returned', (t) => {
  const { context, stream, paid } = into();
  stream.account.spend(3_000);
  stream.push(new Uint8Array(2_936), 3_000);
  stream.discard();
  stream.discard();
  t.is(context.usage.held, 0);
  t.deepEqual(paid(), [[Account.STREAM, 9, 3_000]]);
  stream.account.spend(3_000);
  stream.push(new Uint8Array(2_936), 3_000);
  t.is(stream.take(), undefined);
  t.deepEqual(paid(), [[Account.STREAM, 9, 3_000]]);
});

test('after the call, unread items belong to the reader and no longer count in the gauge', (t) => {
  const { context, stream } = into();
  stream.push(new Uint8Array(10), 74);
  stream.push(new Uint8Array(0), 64);
  stream.end(undefined);
  stream.release();
  stream.release();
  t.is(context.usage.held, 0);
  t.is(stream.take()?.length, 10);
  t.is(stream.take()?.length, 0);
  t.is(stream.take(), undefined);
  t.is(context.usage.held, 0);
});
