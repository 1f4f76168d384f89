// Cases about snapshots and observers: snapshots agree with the actual traffic, and an observer
// that throws has no effect on calls.

import type { CallRecord } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import { rangeOf } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, listOf, pattern, streamOf, textOf, utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

export const observingCases: Cases = (test) => {
  test('a snapshot counts calls, errors and bytes correctly', async (f, t) => {
    const { a, b, at } = await served(f, {
      brisk() {
        throw new Error('no');
      },
    });
    for (let i = 0; i < 7; i++) await a.send(at, 'echo', pattern(1_000));
    for (let i = 0; i < 3; i++)
      await rejected(t, a.send(at, 'brisk', utf8('')), { code: 'internal' });
    await rejected(t, a.send(f.backend.unreachable(), 'echo', utf8('')), { code: 'unavailable' });
    const [mine, theirs] = [a.snapshot(), b.snapshot()];
    t.is(mine.errors.internal, 3);
    t.is(mine.errors.unavailable, 1);
    t.is(mine.calls.made, 11);
    t.is(theirs.calls.served, 10);
    const [connection] = mine.connections;
    t.true(
      (connection?.bytes.out ?? 0) >= 7_000 && (connection?.bytes.out ?? 0) < 12_000,
      `${connection?.bytes.out} bytes out`,
    );
    t.true(
      (connection?.bytes.in ?? 0) >= 7_000 && (connection?.bytes.in ?? 0) < 12_000,
      `${connection?.bytes.in} bytes in`,
    );
    t.is(mine.at, f.clock.now());
  });

  test('a snapshot shows open calls and streams, and none after their end', async (f, t) => {
    const gate = deferred<Uint8Array>();
    const { a, b, at } = await served(f, { brisk: () => gate.promise });
    const calls = [1, 2, 3].map(() => a.send(at, 'brisk', utf8('')));
    const stream = (await a.send(at, 'range', rangeOf(1_000, 10_000)))[Symbol.asyncIterator]();
    await stream.next();
    await f.until(
      'all four calls are being handled',
      () => b.snapshot().connections[0]?.calls.in === 4,
    );
    const [open] = a.snapshot().connections;
    t.is(open?.calls.out, 4);
    t.is(open?.streams, 1);
    const { limits, incoming, connections } = b.snapshot();
    t.is(connections[0]?.fill.calls, 4 / limits.calls);
    t.is(connections[0]?.fill.streams, 1 / limits.streams);
    t.is(incoming.calls, 4);
    t.is(open?.state, 'up');
    t.is(open?.direction, 'out');
    gate.resolve(utf8(''));
    await Promise.all(calls);
    await stream.return?.();
    await f.until(
      'all calls have ended',
      () =>
        a.snapshot().connections[0]?.calls.out === 0 && b.snapshot().connections[0]?.calls.in === 0,
    );
    for (const end of [a, b]) {
      const [idle] = end.snapshot().connections;
      t.is(idle?.streams, 0);
      t.is(idle?.outbound.messages, 0);
      t.deepEqual(idle?.fill, { calls: 0, streams: 0, inbound: 0, outbound: 0 });
      t.deepEqual(end.snapshot().incoming, { calls: 0, bytes: 0 });
      t.is(end.snapshot().memory, 0);
      t.is(end.snapshot().waiting, 0);
    }
  });

  test('the record of a call of every kind has its attempts and its waiting time', async (f, t) => {
    const records: CallRecord[] = [];
    const observer = { callEnded: (record: CallRecord) => void records.push(record) };
    const { a, b, at } = await served(f, {}, { a: { observer } });
    const upload = () => ({ upload: streamOf([utf8('one'), utf8('two')]) });
    const calls = {
      unary: () => a.send(at, 'echo', utf8('')),
      oneway: () => a.send(at, 'note', utf8('')),
      upload: () => a.send(at, 'gather', utf8(''), upload()),
      download: async () => listOf(await a.send(at, 'range', rangeOf(2, 1))),
      duplex: async () => listOf(await a.send(at, 'pipe', utf8(''), upload())),
    };
    for (const [kind, call] of Object.entries(calls))
      for (const isDialed of [false, true]) {
        const ending = call();
        f.clock.advance(50);
        await ending;
        await f.until('the record of the call', () => records.length > 0);
        const record = records.pop();
        t.is(record?.kind, kind);
        t.is(record?.attempts, 1, kind);
        const queued = record?.queued ?? 0;
        t.true(isDialed ? queued === 0 : queued >= 50, `${kind}: ${queued} ms`);
        if (isDialed) await f.drive(a.disconnect(at));
        f.link(a, b);
      }
  });

  test('an observer that throws has no effect on calls', async (f, t) => {
    const observer = {
      event() {
        throw new Error('observer');
      },
      count() {
        throw new Error('observer');
      },
    };
    const { a, at } = await served(f, {}, { a: { observer }, b: { observer } });
    t.is(textOf(await a.send(at, 'echo', utf8('unharmed'))), 'unharmed');
    await rejected(t, a.dial(f.backend.unreachable()), { code: 'unavailable' });
    await f.drive(a.disconnect(at));
  });
};
