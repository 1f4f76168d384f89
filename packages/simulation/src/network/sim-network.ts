// The network of a simulation: it knows who listens where, carries dials, and makes connections.

import type { TransportError } from '@trunkline/transport-core';
import { reasonError, type StreamConnection } from '@trunkline/transport-core/backend';
import {
  ByteConnection,
  type Dial,
  FrameConnection,
  MemoryConnection,
} from '@trunkline/transport-core/internal';
import { Happening, pair } from '../world/trace.ts';
import type { World } from '../world/world.ts';
import { ByteLine } from './byte-line.ts';
import { Interceptors } from './interceptors.ts';
import type { Life } from './life.ts';
import { MessageLine } from './message-line.ts';
import type { Path } from './path.ts';
import type { LineParts, SimLine } from './sim-line.ts';
import type { Topology } from './topology.ts';
import type { TransportPort } from './transport-port.ts';

/**
 * The level of a simulation: 'message' carries whole messages over the direct transport, 'stream'
 * the bytes of a NetworkTransport.
 */
export type Level = 'message' | 'stream';

/** The network between all nodes and clients of a simulation. */
export class SimNetwork {
  readonly interceptors = new Interceptors();
  readonly listening = new Map<string, TransportPort>();
  readonly topology: Topology;
  readonly #world: World;
  readonly #level: Level;
  #dialed = 0;

  constructor(world: World, level: Level, topology: Topology) {
    this.#world = world;
    this.#level = level;
    this.topology = topology;
  }

  /**
   * Carries a dial to its target and the answer back. A dial that is lost is retried after 1, 2, 4
   * … s, as TCP does (RFC 6298).
   */
  dial(from: TransportPort, address: string, dial: Dial, wait = RETRY): void {
    const { life } = from;
    const there = this.topology.path(life.name, this.#hostOf(address));
    const world = this.#world;
    const again = () => {
      world.schedule(wait, 'network', life, () => this.dial(from, address, dial, wait * 2));
    };
    this.#trace(Happening.dialed, there);
    world.schedule(there.delay(world.now, 0, true)!, 'network', undefined, () => {
      if (!life.alive || !dial.wanted()) return;
      if (there.closed || there.loses()) return again();
      this.#answer(from, address, dial, again);
    });
  }

  /** Answers a dial that has arrived: with a connection for both sides, or with a refusal. */
  #answer(from: TransportPort, address: string, dial: Dial, again: () => void): void {
    const peer = this.listening.get(address);
    const home = this.topology.path(this.#hostOf(address), from.life.name);
    const refuses = peer === undefined || !peer.life.alive || peer.life.machine.refusing;
    if (peer !== undefined && !peer.life.alive && !peer.life.machine.powered) return again();
    const answer = (act: () => void) => {
      const world = this.#world;
      world.schedule(home.delay(world.now, 0, true)!, 'network', from.life, () => {
        if (home.closed || home.loses()) again();
        else act();
      });
    };
    if (refuses) {
      return answer(() => {
        this.#trace(Happening.refused, home);
        dial.failed(refusal(address, peer));
      });
    }
    const { near, far, line } = this.#connect(from, peer, address);
    this.#world.schedule(0, 'network', peer.life, () => {
      this.#trace(Happening.accepted, home);
      peer.accept(far);
    });
    answer(() => {
      if (dial.wanted()) dial.connected(near);
      else line.cut();
    });
  }

  /**
   * Ends the listening of a life that has ended. Its addresses stay with the machine, which refuses
   * dials, or ignores them if it has no power.
   */
  vacate(life: Life | undefined): void {
    for (const address of life?.addresses ?? []) {
      const port = this.listening.get(address);
      if (port?.life === life)
        this.listening.set(address, {
          life: port!.life,
          clock: port!.clock,
          turns: port!.turns,
          accept: () => {},
        });
    }
  }

  /** Resets every connection between two nodes, at both ends. */
  reset(a: Life, b: Life): void {
    for (const line of this.#linesBetween(a, b)) line.break();
  }

  /** Closes the half of every connection on which `a` writes to `b`. */
  halfClose(a: Life, b: Life): void {
    for (const line of this.#linesBetween(a, b)) line.halfClose();
  }

  #linesBetween(a: Life, b: Life): SimLine<unknown, unknown>[] {
    return [...a.ends].filter((end) => (end as SimLine<unknown, unknown>).leadsTo(b)) as SimLine<
      unknown,
      unknown
    >[];
  }

  #connect(
    from: TransportPort,
    to: TransportPort,
    address: string,
  ): { near: StreamConnection; far: StreamConnection; line: SimLine<unknown, unknown> } {
    const window = (writer: TransportPort, reader: TransportPort) =>
      this.topology.path(writer.life.name, reader.life.name).settings.window;
    const back = `${from.life.name}:${++this.#dialed}`;
    return this.#level === 'message'
      ? this.#join(
          new FrameConnection(address, from.clock, from.turns),
          new FrameConnection(back, to.clock, to.turns),
          from.life,
          to.life,
          MessageLine,
        )
      : this.#join(
          new ByteConnection(address, from.clock, window(from, to), from.turns),
          new ByteConnection(back, to.clock, window(to, from), to.turns),
          from.life,
          to.life,
          ByteLine,
        );
  }

  #join<Unit>(
    near: MemoryConnection<Unit>,
    far: MemoryConnection<Unit>,
    dialer: Life,
    acceptor: Life,
    Line: new (parts: LineParts<Unit>) => SimLine<Unit, any>,
  ): { near: StreamConnection; far: StreamConnection; line: SimLine<unknown, unknown> } {
    const { interceptors } = this;
    const line = (from: Life, to: Life, end: MemoryConnection<Unit>, parity: 0 | 1) => {
      const path = this.topology.path(from.name, to.name);
      return new Line({ world: this.#world, interceptors, path, from, to, end, parity });
    };
    const there = line(dialer, acceptor, far, 1);
    const home = line(acceptor, dialer, near, 0);
    there.back = home;
    home.back = there;
    MemoryConnection.join(near, far, (end) => (end === far ? there : home));
    return { near, far, line: there };
  }

  /** The node of an address such as 'n1', or 'n1/second' for a further transport of 'n1'. */
  #hostOf(address: string): string {
    return address.split('/', 1)[0]!;
  }

  #trace(happening: Happening, { from, to }: Path): void {
    const { trace } = this.#world;
    trace.record(happening, pair(trace.number(from), trace.number(to)));
  }
}

function refusal(address: string, peer: TransportPort | undefined): TransportError {
  const remedy =
    peer === undefined
      ? 'check that its node is declared and up, and that its transport has called listen()'
      : 'its node is down or refuses connections';
  return reasonError(
    'connection_refused',
    `Cannot connect to ${address}: nothing listens on this address; ${remedy}`,
    { target: address },
  );
}

/** Milliseconds until a lost dial is first retried; doubles each time (RFC 6298 §2). */
const RETRY = 1_000;
