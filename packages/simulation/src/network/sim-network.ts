// The network of a simulation. It owns the table of listening transports. Transports ask it to
// dial, and it builds connections out of core's in-memory ends and two lines, which the topology's
// paths disturb.

import type { TransportError } from '@trunkline/transport-core';
import {
  type PendingDial,
  type StreamConnection,
  stackless,
} from '@trunkline/transport-core/backend';
import {
  ByteConnection,
  FrameConnection,
  MemoryConnection,
} from '@trunkline/transport-inmem/layer';
import type { EventLoop } from '../kernel/event-loop.ts';
import { pair, TraceKind } from '../kernel/trace.ts';
import { ByteLine } from './byte-line.ts';
import type { Incarnation } from './incarnation.ts';
import { Interceptors } from './interceptors.ts';
import { MessageLine } from './message-line.ts';
import type { Path } from './path.ts';
import type { LineParts, SimLine } from './sim-line.ts';
import type { Topology } from './topology.ts';
import type { TransportPort } from './transport-port.ts';

/**
 * The level of a simulation: 'message' carries whole messages over the direct transport, 'stream'
 * the bytes of a NetworkTransport.
 */
export type SimulationLevel = 'message' | 'stream';

/** The network between all nodes and clients of a simulation. */
export class SimNetwork {
  readonly interceptors = new Interceptors();
  /** The listening transports by address; entries of ended transports stay, see `vacate`. */
  readonly listening = new Map<string, TransportPort>();
  readonly topology: Topology;
  readonly #loop: EventLoop;
  readonly #level: SimulationLevel;
  #dialed = 0;

  constructor(loop: EventLoop, level: SimulationLevel, topology: Topology) {
    this.#loop = loop;
    this.#level = level;
    this.topology = topology;
  }

  /**
   * Carries a dial to its target and the answer back. A dial that gets no answer is retried after
   * `wait` milliseconds, which doubles each time, as TCP does (RFC 6298), until it is no longer
   * wanted. If only the answer was lost, the target has already accepted a connection: that
   * connection stays, and the retry makes another one.
   */
  dial(from: TransportPort, address: string, dial: PendingDial, wait = RETRY): void {
    const { incarnation } = from;
    const there = this.topology.path(incarnation.name, this.#hostOf(address));
    const loop = this.#loop;
    const again = () => {
      loop.schedule(wait, 'network', incarnation, () => this.dial(from, address, dial, wait * 2));
    };
    this.#trace(TraceKind.dialed, there);
    // A dial has 0 bytes, which may wait in any queue (`true`), so `delay` is never undefined. The
    // event has no owner, because a dial on its way does not wait for a paused dialer; so the event
    // checks `alive` itself.
    loop.schedule(there.delay(loop.now, 0, true)!, 'network', undefined, () => {
      if (!incarnation.alive || !dial.wanted()) return;
      if (there.closed || there.loses()) return again();
      this.#answer(from, address, dial, again);
    });
  }

  /** Answers a dial that has arrived: with a connection for both sides, or with a refusal. */
  #answer(from: TransportPort, address: string, dial: PendingDial, again: () => void): void {
    const peer = this.listening.get(address);
    const home = this.topology.path(this.#hostOf(address), from.incarnation.name);
    const refuses = peer === undefined || !peer.incarnation.alive || peer.incarnation.host.refusing;
    if (peer !== undefined && !peer.incarnation.alive && !peer.incarnation.host.powered)
      return again();
    const answer = (act: () => void) => {
      const loop = this.#loop;
      loop.schedule(home.delay(loop.now, 0, true)!, 'network', from.incarnation, () => {
        if (home.closed || home.loses()) again();
        else act();
      });
    };
    if (refuses) {
      return answer(() => {
        this.#trace(TraceKind.refused, home);
        dial.failed(refusal(address, peer));
      });
    }
    const { near, far, line } = this.#connect(from, peer, address);
    this.#loop.schedule(0, 'network', peer.incarnation, () => {
      this.#trace(TraceKind.accepted, home);
      peer.accept(far);
    });
    answer(() => {
      if (dial.wanted()) dial.connected(near);
      else line.cut();
    });
  }

  /**
   * Ends the listening of an incarnation that has ended. Its addresses stay with the machine. The
   * machine refuses dials, or ignores them if it has no power.
   */
  vacate(incarnation: Incarnation | undefined): void {
    for (const address of incarnation?.addresses ?? []) {
      const port = this.listening.get(address);
      // The entry stays, without the `accept` that would keep the ended transport in memory.
      if (port?.incarnation === incarnation)
        this.listening.set(address, {
          incarnation: port!.incarnation,
          clock: port!.clock,
          callbacks: port!.callbacks,
          accept: () => {},
        });
    }
  }

  /** Resets every connection between two nodes, at both ends. */
  reset(a: Incarnation, b: Incarnation): void {
    for (const line of this.#linesBetween(a, b)) line.break();
  }

  /** Closes the half of every connection on which `a` writes to `b`. */
  halfClose(a: Incarnation, b: Incarnation): void {
    for (const line of this.#linesBetween(a, b)) line.halfClose();
  }

  #linesBetween(a: Incarnation, b: Incarnation): SimLine<unknown, unknown>[] {
    return ([...a.lines] as SimLine<unknown, unknown>[]).filter((line) => line.leadsTo(b));
  }

  #connect(
    from: TransportPort,
    to: TransportPort,
    address: string,
  ): { near: StreamConnection; far: StreamConnection; line: SimLine<unknown, unknown> } {
    const window = (writer: TransportPort, reader: TransportPort) =>
      this.topology.path(writer.incarnation.name, reader.incarnation.name).settings.window;
    const back = `${from.incarnation.name}:${++this.#dialed}`;
    return this.#level === 'message'
      ? this.#join(
          new FrameConnection(address, from.clock, from.callbacks),
          new FrameConnection(back, to.clock, to.callbacks),
          from.incarnation,
          to.incarnation,
          MessageLine,
        )
      : this.#join(
          new ByteConnection(address, from.clock, window(from, to), from.callbacks),
          new ByteConnection(back, to.clock, window(to, from), to.callbacks),
          from.incarnation,
          to.incarnation,
          ByteLine,
        );
  }

  #join<Unit>(
    near: MemoryConnection<Unit>,
    far: MemoryConnection<Unit>,
    dialer: Incarnation,
    acceptor: Incarnation,
    Line: new (parts: LineParts<Unit>) => SimLine<Unit, any>,
  ): { near: StreamConnection; far: StreamConnection; line: SimLine<unknown, unknown> } {
    const { interceptors } = this;
    const line = (
      from: Incarnation,
      to: Incarnation,
      end: MemoryConnection<Unit>,
      parity: 0 | 1,
    ) => {
      const path = this.topology.path(from.name, to.name);
      return new Line({ loop: this.#loop, interceptors, path, from, to, end, parity });
    };
    // The ids of calls are odd if the dialer opens them (1), and even if the acceptor does (0).
    const there = line(dialer, acceptor, far, 1);
    const home = line(acceptor, dialer, near, 0);
    there.back = home;
    home.back = there;
    // `join` calls this for the line that leads to `end`.
    MemoryConnection.join(near, far, (end) => (end === far ? there : home));
    return { near, far, line: there };
  }

  /**
   * Returns the node of an address such as 'n1', or 'n1/second' for a further transport of 'n1'.
   */
  #hostOf(address: string): string {
    return address.split('/', 1)[0]!;
  }

  #trace(kind: TraceKind, { from, to }: Path): void {
    const { trace } = this.#loop;
    trace.record(kind, pair(trace.number(from), trace.number(to)));
  }
}

function refusal(address: string, peer: TransportPort | undefined): TransportError {
  const remedy =
    peer === undefined
      ? 'check that its node is declared and up, and that its transport has called listen()'
      : 'its node is down or refuses connections';
  return stackless(
    'unavailable',
    `Cannot connect to ${address}: nothing listens on this address; ${remedy}`,
    { reason: 'connection_refused', target: address },
  );
}

/** Milliseconds until a lost dial is first retried; the wait doubles each time (RFC 6298 §2). */
const RETRY = 1_000;
