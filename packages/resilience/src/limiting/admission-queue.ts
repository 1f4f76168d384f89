// The calls that wait to be admitted: calls of high priority first and, under overload, the newest
// calls first, because the oldest will miss their deadlines.

/** A waiting call. */
export interface Waiter {
  readonly priority: number;
  readonly since: number;
  /** Lets the call proceed, or refuses it. */
  settle(refusal: string | undefined): void;
}

/** The settings of an AdmissionQueue. */
export interface AdmissionQueueSettings {
  /** Maximum number of waiting calls. */
  readonly length: number;
  /** Maximum time, in milliseconds, that a call waits while the queue is standing. */
  readonly target: number;
  /**
   * Maximum time, in milliseconds, that a call waits otherwise. A queue that has not been empty for
   * this time counts as standing.
   */
  readonly interval: number;
}

/**
 * Orders waiting calls by CoDel for requests, as in "Fail at Scale" (Maurer, ACM Queue 2015): while
 * the queue has not been empty for an interval, calls that have waited longer than the target are
 * refused, and within a priority the newest call is admitted first.
 */
export class AdmissionQueue {
  readonly #settings: AdmissionQueueSettings;
  /** The waiting calls by priority, each list from the oldest to the newest. */
  readonly #lists: Waiter[][] = Array.from({ length: PRIORITIES }, () => []);
  #size = 0;
  /** The time at which the queue was last empty. */
  #emptyAt: number;

  constructor(settings: AdmissionQueueSettings, now: number) {
    this.#settings = settings;
    this.#emptyAt = now;
  }

  get size(): number {
    return this.#size;
  }

  /** Returns true if the queue has not been empty for an interval. */
  isStanding(now: number): boolean {
    return this.#size > 0 && now - this.#emptyAt > this.#settings.interval;
  }

  /** Adds a call. If the queue is full, the oldest of the least important calls is refused. */
  add(waiter: Waiter, now: number): void {
    if (this.#size === 0) this.#emptyAt = now;
    if (this.#size >= this.#settings.length) {
      const least = this.#lists.findIndex((list) => list.length > 0);
      const refusal = `${this.#size} calls already wait to be admitted`;
      if (least >= waiter.priority) return waiter.settle(refusal);
      this.#size--;
      this.#lists[least]!.shift()!.settle(refusal);
    }
    this.#lists[waiter.priority]!.push(waiter);
    this.#size++;
  }

  /** Removes a call that its caller has abandoned. */
  remove(waiter: Waiter): void {
    const list = this.#lists[waiter.priority]!;
    const at = list.indexOf(waiter);
    if (at < 0) return;
    list.splice(at, 1);
    this.#size--;
  }

  /** Lets the next call proceed. Returns false if none waits. */
  admitNext(now: number): boolean {
    const isStanding = this.isStanding(now);
    const { target, interval } = this.#settings;
    this.#refuseLate(now - (isStanding ? target : interval));
    for (let priority = PRIORITIES - 1; priority >= 0; priority--) {
      const list = this.#lists[priority]!;
      const waiter = isStanding ? list.pop() : list.shift();
      if (waiter === undefined) continue;
      this.#size--;
      if (this.#size === 0) this.#emptyAt = now;
      waiter.settle(undefined);
      return true;
    }
    return false;
  }

  /** Refuses the calls that began to wait before `since`. */
  #refuseLate(since: number): void {
    for (const list of this.#lists) {
      while (list.length > 0 && list[0]!.since < since) {
        this.#size--;
        list.shift()!.settle('it waited too long to be admitted');
      }
    }
  }
}

/** Number of priorities, which are 0 to 9. */
export const PRIORITIES = 10;
