// The fixture of one case: creates its transports, advances its clocks, and checks at the end that
// nothing is left.

import {
  type AnyTransport,
  type CommonOptions,
  type Observer,
  type ObserverEvent,
  type Protocol,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import type { TransportCounter } from '@trunkline/transport-core/backend';
import { createManualClock, type ManualClock } from '@trunkline/transport-core/testing';
import type { TestContext } from '../test-runner.ts';
import { settle } from '../transit/settle.ts';
import { CaseWaits } from '../waits/case-waits.ts';
import { nameWaits } from '../waits/name-waits.ts';
import type { TransportBackend, TransportPlace } from './backend.ts';
import { type Kit, kit } from './protocols.ts';
import { watch } from './values.ts';

/** The record that an observer keeps of one transport. */
export interface Seen {
  readonly events: ObserverEvent[];
  readonly counts: Map<TransportCounter, number>;
}

/** Two transports that can reach each other, both listening, and the address of the second. */
export interface TransportPair<P extends Protocol> {
  readonly a: Transport<P>;
  readonly b: Transport<P>;
  readonly at: string;
}

export interface Fixture {
  readonly t: TestContext;
  readonly backend: TransportBackend;
  /**
   * The clock of every transport without a clock of its own. Advances only when the case advances
   * it; sockets stay real.
   */
  readonly clock: ManualClock;
  /**
   * Creates another clock, for a transport with a time of its own. `advance` does not advance it,
   * but `drive` and the end of the case do.
   */
  newClock(start?: number): ManualClock;
  /** Creates a transport that does not listen. */
  create<P extends Protocol>(
    protocol: P,
    options?: CommonOptions,
    place?: TransportPlace,
  ): Transport<P>;
  /** Creates a transport that listens. */
  open<P extends Protocol>(
    protocol: P,
    options?: CommonOptions,
    place?: TransportPlace,
  ): Promise<Transport<P>>;
  /** Lets two transports dial each other; has no effect if the backend needs no help. */
  link(a: AnyTransport, b: AnyTransport): void;
  /**
   * Creates two transports of the kit's protocol, linked and listening; the options are given for
   * each end.
   */
  pair(options?: {
    readonly a?: CommonOptions;
    readonly b?: CommonOptions;
    readonly placeA?: TransportPlace;
    readonly placeB?: TransportPlace;
  }): Promise<TransportPair<Kit>>;
  /** Returns the record of a transport's observer. Throws a TypeError for one made elsewhere. */
  seen(transport: AnyTransport): Seen;
  /** Returns the value of a transport's counter. */
  count(transport: AnyTransport, counter: TransportCounter): number;
  /**
   * Waits for I/O until the condition holds. If nothing happens anymore, throws an error that
   * contains `what`.
   */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Waits for a promise of the case itself, under a name for the error of a case that hangs. */
  event<T>(what: string, promise: PromiseLike<T>): Promise<T>;
  /**
   * Advances all clocks, `step` milliseconds (default 100) every two turns of the event loop, until
   * the promise settles. The clocks stand still while the backend is busy.
   */
  drive<T>(promise: Promise<T>, step?: number): Promise<T>;
  /**
   * Advances `clock` by `milliseconds` in steps (default 250), with I/O between them as in `drive`.
   * Clocks of `newClock` stand still.
   */
  advance(milliseconds: number, step?: number): Promise<void>;
  /**
   * Waits for some turns of the event loop (default 3) in which the backend is not busy, so that
   * bytes in flight arrive. Use it to make a failure likely, never for correctness.
   */
  turns(count?: number): Promise<void>;
  /** Closes everything and checks that nothing is left. */
  finish(): Promise<void>;
  /** Closes everything after a failure of the case. */
  abandon(): Promise<void>;
}

/** Creates the fixture for one case on one backend; its waits are added to `waits`. */
export function makeFixture(t: TestContext, backend: TransportBackend, waits: CaseWaits): Fixture {
  const clock = createManualClock();
  const clocks = [clock];
  const made: { transport: AnyTransport; seen: Seen }[] = [];
  const seenBy = new Map<AnyTransport, Seen>();
  const turns = (count = 3) => settleOf(waits, count);
  const settleOf = (of: CaseWaits, count: number) =>
    settle(() => {
      of.check();
      return clocks.some((each) => backend.isBusy?.(each) === true);
    }, count);
  /**
   * Advances the clocks until the promise settles, or until the case of these waits has stalled.
   */
  const advanceUntil = async (promise: Promise<unknown>, of: CaseWaits, step = 100) => {
    const state = watch(promise);
    await settleOf(of, 0);
    while (!state.settled) {
      for (const each of clocks) each.advance(step);
      await settleOf(of, 2);
    }
    await promise;
  };
  const closeAll = () => Promise.all(made.map(({ transport }) => transport.close()));

  const fixture: Fixture = {
    t,
    backend,
    clock,
    newClock(start) {
      const other = createManualClock(start);
      clocks.push(other);
      return other;
    },
    create<P extends Protocol>(
      protocol: P,
      options: CommonOptions = {},
      place: TransportPlace = {},
    ): Transport<P> {
      const seen: Seen = { events: [], counts: new Map() };
      const transport = backend.create(
        { clock, ...options, protocol, observer: recorder(seen, options.observer) },
        place,
      );
      nameWaits(transport, waits);
      made.push({ transport, seen });
      seenBy.set(transport, seen);
      return transport;
    },
    async open(protocol, options, place) {
      const transport = fixture.create(protocol, options, place);
      await transport.listen();
      return transport;
    },
    link: (a, b) => backend.link?.(a, b),
    async pair(options = {}) {
      const a = await fixture.open(kit, options.a, options.placeA);
      const b = await fixture.open(kit, options.b, options.placeB);
      fixture.link(a, b);
      return { a, b, at: b.advertiseAddr() };
    },
    seen(transport) {
      const seen = seenBy.get(transport);
      if (seen === undefined) throw new TypeError('this transport is not of this fixture');
      return seen;
    },
    count: (transport, counter) => fixture.seen(transport).counts.get(counter) ?? 0,
    async until(what, condition) {
      const end = waits.begin(what);
      while (!condition()) {
        waits.check();
        await systemClock.sleep(1);
        // Node runs timers that are due without I/O in between, and a slow condition makes this one
        // due again at once.
        await new Promise<void>((resolve) => systemClock.turn!(resolve));
      }
      end();
    },
    event: (what, promise) => waits.step(what, promise),
    async drive(promise, step) {
      const end = waits.begin('the promise that it drives by its clock');
      await advanceUntil(promise, waits, step).finally(end);
      return promise;
    },
    async advance(milliseconds, step = 250) {
      await turns(0);
      for (let left = milliseconds; left > 0; left -= step) {
        waits.note();
        clock.advance(Math.min(step, left));
        await turns(2);
      }
    },
    turns,
    async finish() {
      await advanceUntil(closeAll(), waits);
      for (const { transport, seen } of made) {
        t.deepEqual(transport.remotes(), [], 'a closed transport has no remotes');
        t.deepEqual(transport.snapshot().connections, [], 'a closed transport has no connections');
        const of = (type: ObserverEvent['type']) =>
          seen.events.filter((event) => event.type === type).length;
        t.is(of('down'), of('up'), 'each connection that came up went down, once');
      }
      for (const each of clocks) t.is(each.timers, 0, 'closed transports leave no timer');
    },
    async abandon() {
      const closing = new CaseWaits(backend.stallTimeout);
      await closing.run(() => advanceUntil(closing.of('close()', closeAll()), closing));
    },
  };
  return fixture;
}

function recorder(seen: Seen, also: Observer | undefined): Observer {
  return {
    ...also,
    event(event) {
      seen.events.push(event);
      also?.event?.(event);
    },
    count(counter, amount, remote, isClosing) {
      seen.counts.set(counter, (seen.counts.get(counter) ?? 0) + amount);
      also?.count?.(counter, amount, remote, isClosing);
    },
  };
}
