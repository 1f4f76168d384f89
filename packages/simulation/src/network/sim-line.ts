// One direction of a simulated connection: data sent in order arrives in order, later, or not at
// all.

import type { Line, MemoryConnection } from '@trunkline/transport-core/internal';
import { Happening, pair } from '../world/trace.ts';
import type { World } from '../world/world.ts';
import type { Interceptors } from './interceptors.ts';
import type { Life, LivingEnd } from './life.ts';
import type { Path, Stalled } from './path.ts';

/** Marks that travel behind the cargo: the writer has finished, or has reset the connection. */
const FINISH = Symbol('finish');
const RESET = Symbol('reset');
/** A number is the amount that the other end has read. */
type Mark = typeof FINISH | typeof RESET | number;

/** The parts of one direction of a connection. */
export interface LineParts<Unit> {
  readonly world: World;
  readonly interceptors: Interceptors;
  readonly path: Path;
  /** The writer, and the reader. */
  readonly from: Life;
  readonly to: Life;
  /** The end at which data arrives. */
  readonly end: MemoryConnection<Unit>;
  /** The parity of the ids of calls that the writer opens: 1 if it has dialed. */
  readonly parity: 0 | 1;
}

/** Base class of both levels: `Unit` is what the ends write and read, `Cargo` what travels. */
export abstract class SimLine<Unit, Cargo> implements Line<Unit>, Stalled, LivingEnd {
  /** The other direction. */
  back!: SimLine<Unit, Cargo>;
  protected readonly world: World;
  protected readonly interceptors: Interceptors;
  protected readonly path: Path;
  protected readonly from: Life;
  protected readonly to: Life;
  /** The end at which data arrives. */
  protected readonly end: MemoryConnection<Unit>;
  /** The names of both nodes, for the trace. */
  readonly #names: number;
  /** When the last ordered cargo arrives. */
  protected lastAt = 0;
  /** Cargo that waits for the path to open, in order. */
  #stalled: (Cargo | Mark)[] = [];
  /**
   * When the first stalled cargo reached the cut; undefined if nothing is stalled, or if it is
   * held.
   */
  #cutAt: number | undefined = undefined;

  constructor({ world, interceptors, path, from, to, end }: LineParts<Unit>) {
    this.world = world;
    this.interceptors = interceptors;
    this.path = path;
    this.#names = pair(from.number, to.number);
    this.from = from;
    this.to = to;
    this.end = end;
    from.ends.add(this);
  }

  abstract put(unit: Unit): void;
  /** Hands over cargo that has arrived on an open path. */
  protected abstract deliver(cargo: Cargo): void;
  /**
   * Returns the part of cargo arriving at a cut that waits for the end of the cut, or undefined if
   * nothing does. The rest is lost.
   */
  protected abstract spared(cargo: Cargo): Cargo | undefined;

  finish(): void {
    if (this.from.alive) this.cross(FINISH, this.latency());
  }

  cut(): void {
    if (this.from.alive) this.reset();
  }

  acknowledge(size: number): void {
    // Only a blocked writer can tell when the acknowledgment arrives, so otherwise it needs no
    // event.
    const writer = this.end;
    if (!writer.blocked) return writer.acknowledge(size);
    this.crossAt(this.world.now + this.latency(), size);
  }

  ended(): void {
    this.from.ends.delete(this);
  }

  die(told: boolean): void {
    if (told) this.reset();
  }

  /** Sends `cargo` in order: it overtakes nothing, and nothing ordered overtakes it. */
  protected cross(cargo: Cargo | Mark, delay: number, notBefore = 0): void {
    this.lastAt = Math.max(this.world.now + delay, this.lastAt, notBefore);
    this.crossAt(this.lastAt, cargo);
  }

  protected crossAt(at: number, cargo: Cargo | Mark): void {
    const { to } = this;
    this.world.scheduleAt(at, 'network', to.alive ? to : undefined, this.#arrive, cargo);
  }

  protected latency(): number {
    return this.path.delay(this.world.now, 0, true)!;
  }

  protected trace(happening: Happening, detail?: number, size?: number, check?: number): void {
    this.world.trace.record(happening, this.#names, detail, size, check);
  }

  /**
   * Returns when cargo arrives that reached a cut at `cutAt` and was sent again until the path was
   * open; no earlier than `trip` milliseconds from now.
   */
  protected resentAt(_cutAt: number, trip: number): number {
    return this.world.now + trip;
  }

  resume(): void {
    const trip = this.latency();
    const at = this.#cutAt === undefined ? this.world.now + trip : this.resentAt(this.#cutAt, trip);
    this.world.schedule(at - this.world.now, 'network', this.to, () => {
      const stalled = this.#stalled;
      this.#stalled = [];
      this.#cutAt = undefined;
      for (const cargo of stalled) {
        // A reset is an event of its own, so that data before it is read first.
        if (cargo === RESET) this.crossAt(this.world.now, RESET);
        else this.#arrive(cargo);
      }
    });
  }

  /** Resets the connection at both ends, as a device on the path may. */
  break(): void {
    this.trace(Happening.reset);
    for (const end of [this.end, this.back.end]) end.cut();
  }

  /** Returns whether `reader` is the life that reads this line. */
  leadsTo(reader: Life): boolean {
    return this.to === reader;
  }

  /** Closes the writer's half, as seen by the reader. */
  halfClose(): void {
    this.end.finish();
  }

  readonly #arrive = (cargo: Cargo | Mark): void => {
    if (!this.to.alive) return this.#bounce();
    const { cut, held } = this.path;
    if (!cut && !held && this.#stalled.length === 0) return this.#hand(cargo);
    // A cut swallows a reset, which leaves the connection half open.
    if (cargo === RESET && cut && !held) return;
    const rest = isMark(cargo) || held || !cut ? cargo : this.spared(cargo);
    if (rest === undefined) return;
    if (this.#stalled.length === 0 && !held) this.#cutAt = this.world.now;
    this.#stalled.push(rest);
    this.trace(Happening.held);
    if (cut || held) this.path.wait(this);
  };

  #hand(cargo: Cargo | Mark): void {
    if (cargo === FINISH) this.end.finish();
    else if (cargo === RESET) this.#broken();
    else if (isMark(cargo)) this.end.acknowledge(cargo as number);
    else this.deliver(cargo);
  }

  #broken(): void {
    this.trace(Happening.reset);
    this.end.cut();
  }

  /** Handles cargo for a life that has ended: its machine resets the connection if it has power. */
  #bounce(): void {
    if (!this.path.closed && this.to.machine.powered && this.from.alive) this.back.reset();
  }

  /** Sends a reset to the other end, behind everything in flight. */
  protected reset(): void {
    this.cross(RESET, this.latency());
  }
}

function isMark(cargo: unknown): cargo is Mark {
  return typeof cargo === 'symbol' || typeof cargo === 'number';
}
