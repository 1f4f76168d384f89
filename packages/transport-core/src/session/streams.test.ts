// Tests both ends of a stream of items: credit, order, and the end.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes } from '../protocol/codec.ts';
import { FrameCollector } from '../wire/encoder.ts';
import { Account, Kind } from '../wire/frame.ts';
import type { ReceiveAccount } from './batch.ts';
import { Outgoing } from './outgoing.ts';
import { InStream, OutStream } from './streams.ts';
import { OutboxFixture } from './testing/outbox-fixture.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const BROKEN = new TransportError('unavailable', 'gone');

function out(credit = 1_000, limits = SMALL) {
  const fixture = new OutboxFixture(limits);
  const { context, outbox } = fixture;
  context.terms = { ...context.terms, stream: credit };
  const stream = new OutStream(outbox, fixture.lanes(0x20), 7, bytes, () => {});
  return { fixture, stream };
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

test('an account overdrawn by one item starts the next only above 0', (t) => {
  const { fixture, stream } = out(1);
  void stream.write(new Uint8Array(packet));
  fixture.pump();
  void stream.write(new Uint8Array(1));
  stream.grant(packet + 63);
  t.is(fixture.pump().length, 0);
  stream.grant(1);
  t.is(fixture.pump().length, 1);
});

test('an item above the limit of the peer fails, and the stream continues', async (t) => {
  const { fixture, stream } = out();
  fixture.context.terms = { ...fixture.context.terms, item: 50 };
  const error = (await t.throwsAsync(stream.write(new Uint8Array(51)))) as TransportError;
  t.deepEqual([error.code, error.reason, error.sent], ['resource_exhausted', 'too_large', false]);
  t.regex(error.message, /(?=.*51)(?=.*50)/);
  await t.notThrowsAsync(stream.write(new Uint8Array(50)));
});

test('an end needs no credit, and may be an ERROR', (t) => {
  const { fixture, stream } = out(0);
  const told = { code: 10, reason: 0, text: '', metadata: undefined };
  const error = Outgoing.error(7, 0, told, stream);
  stream.close(error);
  const sent = fixture.pump().map(({ kind, code }) => [kind, code]);
  t.deepEqual(sent, [[Kind.ERROR, 10]]);
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
