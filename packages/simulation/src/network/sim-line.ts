// One direction of a simulated connection: data that is sent in order arrives in order, later, or
// not at all. It owns the data that waits for its path to open. The writer's end calls the methods
// of `MemoryLine`, and this class calls the reader's end. Subclasses carry messages or bytes.

import type { MemoryConnection, MemoryLine } from '@trunkline/transport-inmem/layer';
import type { EventLoop } from '../kernel/event-loop.ts';
import { pair, TraceKind } from '../kernel/trace.ts';
import type { Incarnation, OwnedLine } from './incarnation.ts';
import type { Interceptors } from './interceptors.ts';
import type { Path, Stalled } from './path.ts';

/** Marks that travel behind the data: the writer has finished, or has reset the connection. */
const FINISH = Symbol('finish');
const RESET = Symbol('reset');
/**
 * A number is an acknowledgment: the amount of the other direction's data that the writer of this
 * line has read.
 */
type Mark = typeof FINISH | typeof RESET | number;

/** The parts of one direction of a connection; only subclasses use `interceptors` and `parity`. */
export interface LineParts<Unit> {
  readonly loop: EventLoop;
  readonly interceptors: Interceptors;
  readonly path: Path;
  /** The writer and the reader. */
  readonly from: Incarnation;
  readonly to: Incarnation;
  /** The end at which data arrives. */
  readonly end: MemoryConnection<Unit>;
  /** The parity of the ids of calls that the writer opens: 1 if the writer has dialed. */
  readonly parity: 0 | 1;
}

/**
 * Base class of the lines of both levels: the ends write and read a `Unit`, and `Data` travels
 * between them.
 */
export abstract class SimLine<Unit, Data> implements MemoryLine<Unit>, Stalled, OwnedLine {
  /** The other direction. */
  back!: SimLine<Unit, Data>;
  protected readonly loop: EventLoop;
  protected readonly interceptors: Interceptors;
  protected readonly path: Path;
  protected readonly from: Incarnation;
  protected readonly to: Incarnation;
  /** The end at which data arrives. */
  protected readonly end: MemoryConnection<Unit>;
  /** The names of both nodes, for the trace. */
  readonly #names: number;
  /** Time at which the last ordered data arrives. */
  protected lastAt = 0;
  /** Data that waits for the path to open, in order. */
  #stalled: (Data | Mark)[] = [];
  /**
   * Time at which the first stalled data reached the cut; undefined if no data is stalled, or if it
   * is held.
   */
  #cutAt: number | undefined = undefined;

  constructor({ loop, interceptors, path, from, to, end }: LineParts<Unit>) {
    this.loop = loop;
    this.interceptors = interceptors;
    this.path = path;
    this.#names = pair(from.number, to.number);
    this.from = from;
    this.to = to;
    this.end = end;
    from.lines.add(this);
  }

  abstract put(unit: Unit): void;
  /** Hands over data that has arrived on an open path. */
  protected abstract deliver(data: Data): void;
  /**
   * Returns the part of the data arriving at a cut that waits for the end of the cut, or undefined
   * if no part does. The rest is lost.
   */
  protected abstract survivesCut(data: Data): Data | undefined;

  finish(): void {
    if (this.from.alive) this.cross(FINISH, this.latency());
  }

  /** Called when the writer has destroyed its end. */
  cut(): void {
    if (this.from.alive) this.reset();
  }

  acknowledge(size: number): void {
    // The acknowledgment goes to the reader of this line, which writes in the other direction.
    // While that writer is not blocked, the acknowledgment needs no event and passes even through a
    // cut: the writer merely blocks a little later.
    const writer = this.end;
    if (!writer.blocked) return writer.acknowledge(size);
    this.crossAt(this.loop.now + this.latency(), size);
  }

  ended(): void {
    this.from.lines.delete(this);
  }

  die(powered: boolean): void {
    if (powered) this.reset();
  }

  /** Sends `data` in order: it overtakes no data, and no ordered data overtakes it. */
  protected cross(data: Data | Mark, delay: number, notBefore = 0): void {
    this.lastAt = Math.max(this.loop.now + delay, this.lastAt, notBefore);
    this.crossAt(this.lastAt, data);
  }

  /**
   * Sends `data`, which may overtake other data. If the reader ends before `at`, the data vanishes:
   * in that case the reader's machine resets the connection if it can. The event has no owner,
   * because events of a reader that has already ended would not happen; for such a reader,
   * `#bounce` answers.
   */
  protected crossAt(at: number, data: Data | Mark): void {
    const { to } = this;
    this.loop.scheduleAt(at, 'network', to.alive ? to : undefined, this.#arrive, data);
  }

  /**
   * Draws the time that a mark takes. A mark has 0 bytes, which may wait in any queue and are never
   * refused.
   */
  protected latency(): number {
    return this.path.delay(this.loop.now, 0, true)!;
  }

  /** See `Trace.record`. */
  protected trace(
    kind: TraceKind,
    detail?: number,
    size?: number,
    check?: number,
    sent?: number,
    call?: number,
  ): void {
    this.loop.trace.record(kind, this.#names, detail, size, check, sent, call);
  }

  /**
   * Returns the arrival time of data that reached a cut at `cutAt` and was sent again until the
   * path was open. The time is at least `trip` milliseconds from now.
   */
  protected resentAt(_cutAt: number, trip: number): number {
    return this.loop.now + trip;
  }

  /** Called when the path has opened; data for a reader that has ended by then vanishes. */
  resume(): void {
    const trip = this.latency();
    const at = this.#cutAt === undefined ? this.loop.now + trip : this.resentAt(this.#cutAt, trip);
    this.loop.schedule(at - this.loop.now, 'network', this.to, () => {
      const stalled = this.#stalled;
      this.#stalled = [];
      this.#cutAt = undefined;
      for (const data of stalled) {
        // A reset is a separate event, so that data before it is read first.
        if (data === RESET) this.crossAt(this.loop.now, RESET);
        else this.#arrive(data);
      }
    });
  }

  /** Resets the connection at both ends, as a device on the path may do. */
  break(): void {
    this.trace(TraceKind.reset);
    for (const end of [this.end, this.back.end]) end.cut();
  }

  /** Returns true if `reader` is the incarnation that reads this line. */
  leadsTo(reader: Incarnation): boolean {
    return this.to === reader;
  }

  /** Closes the writer's half, as seen by the reader. */
  halfClose(): void {
    this.end.finish();
  }

  readonly #arrive = (data: Data | Mark): void => {
    if (!this.to.alive) return this.#bounce();
    const { cut, held } = this.path;
    if (!cut && !held && this.#stalled.length === 0) return this.#hand(data);
    // A cut loses a reset, which leaves the connection half open.
    if (data === RESET && cut && !held) return;
    const rest = isMark(data) || held || !cut ? data : this.survivesCut(data);
    if (rest === undefined) return;
    if (this.#stalled.length === 0 && !held) this.#cutAt = this.loop.now;
    this.#stalled.push(rest);
    this.trace(TraceKind.held);
    if (cut || held) this.path.wait(this);
  };

  #hand(data: Data | Mark): void {
    if (data === FINISH) this.end.finish();
    else if (data === RESET) {
      this.trace(TraceKind.reset);
      this.end.cut();
    } else if (isMark(data)) this.end.acknowledge(data as number);
    else this.deliver(data);
  }

  /**
   * Handles data for an incarnation that has ended: its machine resets the connection if it has
   * power.
   */
  #bounce(): void {
    if (!this.path.closed && this.to.host.powered && this.from.alive) this.back.reset();
  }

  /** Sends a reset to the other end, behind everything in flight. */
  protected reset(): void {
    this.cross(RESET, this.latency());
  }
}

function isMark(data: unknown): data is Mark {
  return typeof data === 'symbol' || typeof data === 'number';
}
