// The line between the two ends of a connection. A direct line hands everything over immediately;
// the line of a simulation is a network, which delays and loses data.

/** One end of a connection, as seen by the line that leads to it. */
export interface MemoryLineEnd<Unit> {
  /** Receives a unit that the other end has sent. */
  arrive(unit: Unit): void;
  /** Called when the other end has finished writing, after everything that it sent. */
  finish(): void;
  /**
   * Called when the connection is reset: the other end was destroyed, or was written to after it
   * had ended, or discarded too much while it closed, or the simulation broke the line. May be
   * called more than once.
   */
  cut(): void;
  /**
   * Called when the other end has read or discarded `size` bytes of the data that this end sent.
   */
  acknowledge(size: number): void;
}

/**
 * One direction of a connection: the effects of one end on the other. The first four methods lead
 * to `arrive`, `finish`, `cut` and `acknowledge` of the other end, sooner or later or never.
 */
export interface MemoryLine<Unit> {
  put(unit: Unit): void;
  finish(): void;
  cut(): void;
  acknowledge(size: number): void;
  /** Called once, when the end that writes to this line is over. Later calls may still follow. */
  ended(): void;
}

/** A line without delay: it hands everything over immediately. */
export class DirectLine<Unit> implements MemoryLine<Unit> {
  readonly #end: MemoryLineEnd<Unit>;
  readonly #ended: (() => void) | undefined;

  /** @param ended called once, when the end that writes to this line is over. */
  constructor(end: MemoryLineEnd<Unit>, ended?: () => void) {
    this.#end = end;
    this.#ended = ended;
  }

  put(unit: Unit): void {
    this.#end.arrive(unit);
  }

  finish(): void {
    this.#end.finish();
  }

  cut(): void {
    this.#end.cut();
  }

  acknowledge(size: number): void {
    this.#end.acknowledge(size);
  }

  ended(): void {
    this.#ended?.();
  }
}
