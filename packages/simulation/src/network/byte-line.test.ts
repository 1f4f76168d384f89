// Tests of the flow control of a stream connection whose bytes an interceptor changes.

import { ByteConnection, MemoryConnection } from '@trunkline/transport-inmem/layer';
import test from 'ava';
import { EventLoop } from '../kernel/event-loop.ts';
import { ByteLine } from './byte-line.ts';
import { Incarnation } from './incarnation.ts';
import { Interceptors } from './interceptors.ts';
import { CALM, linkSettings } from './link-settings.ts';
import { Topology } from './topology.ts';

test('a chunk that an interceptor shortens or lengthens does not change how much may be unread', (t) => {
  for (const length of [0, 1, 5_000]) {
    const loop = new EventLoop({ seed: 1, strict: false, stepLimit: 1_000 });
    const topology = new Topology(1, linkSettings(CALM, { fragment: 0 }, 'link'), () => true);
    const interceptors = new Interceptors();
    interceptors.add(() => ({ mutate: new Uint8Array(length) }));
    const callbacks = { run: (callback: () => void) => loop.defer(undefined, callback), stop() {} };
    const [a, b] = ['a', 'b'].map((name) => {
      const host = { name, powered: true, refusing: false, isClient: false };
      return {
        incarnation: new Incarnation(name, loop.trace.number(name), host),
        end: new ByteConnection(name, {} as never, 1_000, callbacks),
      };
    }) as [End, End];
    const line = (from: End, to: End, parity: 0 | 1) =>
      new ByteLine({
        loop,
        interceptors,
        path: topology.path(from.incarnation.name, to.incarnation.name),
        from: from.incarnation,
        to: to.incarnation,
        end: to.end,
        parity,
      });
    const [there, home] = [line(a, b, 1), line(b, a, 0)];
    there.back = home;
    home.back = there;
    MemoryConnection.join<Uint8Array>(a.end, b.end, (end) => (end === b.end ? there : home));
    let drained = 0;
    const sink = { data() {}, frames() {}, closed() {} };
    a.end.attach({ ...sink, drained: () => void drained++ } as never);
    b.end.attach({ ...sink, drained() {} } as never);
    for (let round = 1; round <= 3; round++) {
      t.true(a.end.write(new Uint8Array(1_000)));
      t.false(a.end.write(new Uint8Array(1)));
      while (loop.step(1e6));
      t.is(drained, round, `${length}`);
    }
  }
});

interface End {
  readonly incarnation: Incarnation;
  readonly end: ByteConnection;
}
