// One direction of a simulated connection: what is put in order arrives in order, later, or not at all.

import type { Line } from '../../memory/line.ts';
import type { MemoryConnection } from '../../memory/memory-connection.ts';
import { Happening } from '../world/trace.ts';
import type { World } from '../world/world.ts';
import type { Life, LivingEnd } from './life.ts';
import type { Path, Stalled } from './path.ts';

/** What crosses besides cargo: the writer has ended, behind all that it put; the writer broke it off, also behind it. */
const FINISH = Symbol('finish');
const RESET = Symbol('reset');
/** A number is so much that the other end has read. */
type Mark = typeof FINISH | typeof RESET | number;

export abstract class SimLine<Unit, Cargo> implements Line<Unit>, Stalled, LivingEnd {
  /** The other direction. */
  back!: SimLine<Unit, Cargo>;
  protected readonly world: World;
  protected readonly path: Path;
  protected readonly from: Life;
  protected readonly to: Life;
  /** Where it arrives. */
  protected readonly end: MemoryConnection<Unit>;
  /** When the last that was put in order arrives. */
  protected lastAt = 0;
  /** What waits for the path to be open, in order. */
  #stalled: (Cargo | Mark)[] = [];
  /** When the first of that arrived at a cut; undefined: it is held, or nothing waits. */
  #cutAt: number | undefined = undefined;

  constructor(world: World, path: Path, from: Life, to: Life, end: MemoryConnection<Unit>) {
    this.world = world;
    this.path = path;
    this.from = from;
    this.to = to;
    this.end = end;
    from.ends.add(this);
  }

  abstract put(unit: Unit): void;
  /** It has arrived, and its path is open. */
  protected abstract deliver(cargo: Cargo): void;
  /** The part of what arrives at a cut that waits for its end; undefined: nothing does. The rest is lost. */
  protected abstract spared(cargo: Cargo): Cargo | undefined;

  finish(): void {
    if (this.from.alive) this.cross(FINISH, this.latency());
  }

  cut(): void {
    if (this.from.alive) this.reset();
  }

  acknowledge(size: number): void {
    // Only who waits for room sees when it comes.
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

  /** Sends `cargo` so that nothing overtakes it that comes behind, and it nothing that went before. */
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

  protected trace(happening: Happening, detail: number, size: number, check: number): void {
    this.world.trace.record(this.world.now, happening, this.from.number, this.to.number, detail, size, check);
  }

  /**
   * When something arrives that was cut off at `cutAt` and was sent again until its path was open,
   * `trip` milliseconds from now at the earliest.
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
        // A reset is an event of its own: what came before it is read first.
        if (cargo === RESET) this.crossAt(this.world.now, RESET);
        else this.#arrive(cargo);
      }
    });
  }

  /** Breaks the connection off at both ends, as something between them may. */
  break(): void {
    this.trace(Happening.reset, 0, 0, 0);
    for (const end of [this.end, this.back.end]) end.cut();
  }

  /** Is `reader` who reads what is written here? */
  leadsTo(reader: Life): boolean {
    return this.to === reader;
  }

  /** The writer writes no more, as a network sees it. */
  halfClose(): void {
    this.end.finish();
  }

  readonly #arrive = (cargo: Cargo | Mark): void => {
    if (!this.to.alive) return this.#bounce();
    const { cut, held } = this.path;
    if (!cut && !held && this.#stalled.length === 0) return this.#hand(cargo);
    // A cut swallows a reset, and leaves the connection half open.
    if (cargo === RESET && cut && !held) return;
    const rest = isMark(cargo) || held || !cut ? cargo : this.spared(cargo);
    if (rest === undefined) return;
    if (this.#stalled.length === 0 && !held) this.#cutAt = this.world.now;
    this.#stalled.push(rest);
    this.trace(Happening.held, 0, 0, 0);
    if (cut || held) this.path.wait(this);
  };

  #hand(cargo: Cargo | Mark): void {
    if (cargo === FINISH) this.end.finish();
    else if (cargo === RESET) this.#broken();
    else if (isMark(cargo)) this.end.acknowledge(cargo as number);
    else this.deliver(cargo);
  }

  #broken(): void {
    this.trace(Happening.reset, 0, 0, 0);
    this.end.cut();
  }

  /** Who it was meant for is gone: its machine says so, if it can. */
  #bounce(): void {
    if (!this.path.closed && this.to.machine.powered && this.from.alive) this.back.reset();
  }

  /** Tells the other end that the connection is broken off, behind all that is on its way. */
  protected reset(): void {
    this.cross(RESET, this.latency());
  }
}

function isMark(cargo: unknown): cargo is Mark {
  return typeof cargo === 'symbol' || typeof cargo === 'number';
}
