// What lies between the two ends of a connection in this process: nothing, here; in a simulation a network that delays and loses.

/** One end, as the line to it knows it. */
export interface LineEnd<Unit> {
  /** The other end put this. */
  arrive(unit: Unit): void;
  /** The other end writes no more: it comes behind all that was put. */
  finish(): void;
  /** The other end was destroyed, or is gone and was written to. */
  cut(): void;
  /** The other end has read so much of what this one put. */
  acknowledge(size: number): void;
}

/** One direction of a connection: what one end does to the other. */
export interface Line<Unit> {
  put(unit: Unit): void;
  finish(): void;
  cut(): void;
  acknowledge(size: number): void;
  /** The end that writes here is over. */
  ended(): void;
}

/** A line without length. */
export class Direct<Unit> implements Line<Unit> {
  readonly #end: LineEnd<Unit>;

  constructor(end: LineEnd<Unit>) {
    this.#end = end;
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

  ended(): void {}
}
