// The calls that wait to be admitted: calls of high priority first and, under overload, the newest
// calls first, because the oldest will miss their deadlines.

/** A waiting call. */
export interface Waiter {
  readonly priority: number;
  readonly since: number;
  /** Lets the call proceed, or refuses it if a reason is given. Called at most once. */
  settle(refusal: string | undefined): void;
}

/** The settings of an AdmissionQueue. */
export interface AdmissionQueueSettings {
  /** Maximum number of waiting calls. */
  readonly length: number;
  /**
   * Time, in milliseconds, after which `admitNext` refuses a call of the lowest priority in a
   * standing queue.
   */
  readonly target: number;
  /**
   * Time, in milliseconds, after which `admitNext` refuses a call otherwise. A queue that has not
   * been empty for this time counts as standing.
   */
  readonly interval: number;
}

/**
 * Orders waiting calls by CoDel for requests, as in "Fail at Scale" (Maurer, ACM Queue 2015). While
 * the queue has not been empty for an interval, calls that have waited longer than the target are
 * refused, and the newest call is admitted first. Both apply to the lowest priority that has waited
 * within the last interval, because the calls of higher priorities alone may be no overload. If
 * calls of a higher priority have waited for three intervals without a break, they are an overload
 * by themselves, and the newest of them is admitted first, too.
 */
export class AdmissionQueue {
  readonly #settings: AdmissionQueueSettings;
  /** The waiting calls by priority, each list from the oldest to the newest. */
  readonly #lists: Waiter[][] = Array.from({ length: PRIORITIES }, () => []);
  #size = 0;
  /** By priority: when a call with this priority waited most recently. */
  readonly #seenAt: number[] = Array(PRIORITIES).fill(Number.NEGATIVE_INFINITY);
  /** By priority: since when calls with this or a higher priority have waited without a break. */
  readonly #since: number[] = Array(PRIORITIES).fill(0);

  constructor(settings: AdmissionQueueSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a call. If the queue is full, the oldest of the least important calls is refused. */
  add(waiter: Waiter, now: number): void {
    const highest = this.#lists.findLastIndex((list) => list.length > 0);
    this.#seenAt[waiter.priority] = now;
    this.#since.fill(now, highest + 1, waiter.priority + 1);
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

  /** Removes a waiting call without settling it. */
  remove(waiter: Waiter, now: number): void {
    const list = this.#lists[waiter.priority]!;
    const at = list.indexOf(waiter);
    if (at < 0) return;
    list.splice(at, 1);
    this.#size--;
    this.#seenAt[waiter.priority] = now;
  }

  /**
   * Refuses the calls that have waited too long, and lets the next call proceed. Returns false if
   * none is left. The queue has no timer: the owner calls this whenever there is room for a call,
   * and removes calls that have waited for `interval` while there is none.
   */
  admitNext(now: number): boolean {
    if (this.#size === 0) return false;
    const { target, interval } = this.#settings;
    for (const [priority, list] of this.#lists.entries())
      if (list.length > 0) this.#seenAt[priority] = now;
    const lowest = this.#seenAt.findIndex((at) => now - at <= interval);
    const isStanding = (priority: number) =>
      now - this.#since[priority]! > (priority === lowest ? interval : PATIENCE * interval);
    for (const [priority, list] of this.#lists.entries())
      this.#refuseLate(
        list,
        now - (priority === lowest && isStanding(priority) ? target : interval),
      );
    for (let priority = PRIORITIES - 1; priority >= lowest; priority--) {
      const list = this.#lists[priority]!;
      const waiter = isStanding(priority) ? list.pop() : list.shift();
      if (waiter === undefined) continue;
      this.#size--;
      waiter.settle(undefined);
      return true;
    }
    return false;
  }

  /** Refuses the calls that began to wait before `since`. */
  #refuseLate(list: Waiter[], since: number): void {
    while (list.length > 0 && list[0]!.since < since) {
      this.#size--;
      list.shift()!.settle(WAITED);
    }
  }
}

/** The reason for refusing a call that has waited too long. */
export const WAITED = 'it waited too long to be admitted';
/** Number of priorities, which are 0 to 9. */
export const PRIORITIES = 10;
/**
 * The number of intervals without a break after which higher priorities count as an overload of
 * their own. At 60 % of a server's capacity, random arrivals keep calls waiting for longer than one
 * interval often enough to lose 1 % of them, and hardly ever for three.
 */
const PATIENCE = 3;
