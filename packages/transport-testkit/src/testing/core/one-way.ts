// Cases about one-way calls: queued in order, delivered before a graceful close, and counted when
// they are lost.

import { createWire } from '../../transport/faults.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, pattern, textOf, utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

export const oneWayCases: Cases = (test) => {
  test('a one-way resolves to undefined without waiting for its handler', async (f, t) => {
    const got = deferred<string>();
    const never = deferred();
    const { a, at } = await served(f, {
      note(request) {
        got.resolve(textOf(request));
        return never.promise;
      },
    });
    t.is(await a.send(at, 'note', utf8('by the way')), undefined);
    t.is(await f.event('the request', got.promise), 'by the way');
    never.resolve();
  });

  test('a one-way that is lost after it was accepted is counted', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeB: { wrap: wire.wrap } });
    let notes = 0;
    serveKit(b, { note: () => void notes++ });
    const remote = await a.dial(at);
    wire.freeze();
    // The messages exceed the pipe, so some of the accepted ones cannot have been sent yet.
    for (let i = 0; i < 5; i++) await a.send(at, 'note', pattern(1_000_000));
    await f.turns();
    wire.cut();
    await f.until('the connection is gone', () => remote.closed);
    t.is(notes, 0);
    t.is(f.count(a, 'onewayLost'), 5);
    t.is(a.snapshot().counters.onewayLost, 5);
  });

  test('a connection that closes gracefully loses no one-way', async (f, t) => {
    let notes = 0;
    const { a, b, at } = await served(f, { note: () => void notes++ });
    const remote = await a.dial(at);
    for (let i = 0; i < 300; i++) void a.send(remote, 'note', pattern(1_000));
    await f.drive(a.disconnect(remote));
    f.link(a, b);
    for (let i = 0; i < 300; i++) void a.send(at, 'note', pattern(1_000));
    await a.send(at, 'note', pattern(1_000));
    await f.drive(a.close());
    await f.until('all one-ways have arrived', () => notes === 601);
    t.is(f.count(a, 'onewayLost'), 0);
    t.is(f.count(b, 'onewayDropped'), 0);
  });
};
