// A limit of concurrent calls that follows the gradient of their latency: the algorithm Gradient2
// of Netflix's concurrency-limits.

/** The settings of a GradientLimit. */
export interface GradientSettings {
  /** The limit at the start, and the bounds between which it moves. */
  readonly initial: number;
  readonly max: number;
  /** At most `max`. Default 20, or `max` if that is lower. */
  readonly min?: number | undefined;
  /** Maximum ratio of the current latency to the usual latency at which the limit still grows. */
  readonly tolerance: number;
  /** Length of a sample window in milliseconds; a window lasts longer until it has 10 samples. */
  readonly window: number;
}

/** Moves a limit down while calls get slower, and up while they do not. */
export class GradientLimit {
  readonly #settings: GradientSettings & { readonly min: number };
  #limit: number;
  /**
   * The usual latency: an exponential average over 600 windows, which begins with the mean of the
   * first 10.
   */
  #usual = 0;
  #windows = 0;
  // The current window.
  #endsAt: number | undefined = undefined;
  #sum = 0;
  #samples = 0;
  /** Maximum number of calls in flight during this window. */
  #peak = 0;

  /** @throws TypeError, which begins with `where`, if `min` is above `max`. */
  constructor(settings: GradientSettings, where: string) {
    const { initial, max, min = Math.min(20, max) } = settings;
    if (min > max) throw new TypeError(`${where}min must be at most max (${max}), got ${min}`);
    this.#settings = { ...settings, min };
    this.#limit = Math.max(min, Math.min(max, initial));
  }

  /** Maximum number of calls in flight. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** The usual latency in milliseconds; 0 before the first window has ended. */
  get usualLatency(): number {
    return this.#usual;
  }

  /**
   * Records a call that has ended.
   *
   * @param inFlight number of calls in flight when it ended, including the call itself.
   */
  record(latency: number, inFlight: number, now: number): void {
    this.#endsAt ??= now + this.#settings.window;
    this.#sum += latency;
    this.#samples++;
    if (inFlight > this.#peak) this.#peak = inFlight;
    if (now < this.#endsAt || this.#samples < LEAST_SAMPLES) return;
    this.#update(this.#sum / this.#samples, this.#peak);
    this.#endsAt = now + this.#settings.window;
    this.#sum = 0;
    this.#samples = 0;
    this.#peak = 0;
  }

  #update(latency: number, inFlight: number): void {
    this.#windows++;
    const factor = this.#windows <= WARM_UP ? 1 / this.#windows : 2 / (LONG + 1);
    this.#usual += (latency - this.#usual) * factor;
    // After a long overload, the usual latency is too high, so it is lowered faster than averaging
    // would do.
    if (this.#usual > 2 * latency) this.#usual *= 0.9;
    // The latency of a client that does not use up its limit says nothing about the limit.
    if (inFlight < this.#limit / 2) return;
    const { min, max, tolerance } = this.#settings;
    const ratio = latency > 0 ? (tolerance * this.#usual) / latency : 1;
    const gradient = Math.max(0.5, Math.min(1, ratio));
    const aim = this.#limit * gradient + HEADROOM;
    const next = this.#limit * (1 - SMOOTHING) + aim * SMOOTHING;
    this.#limit = Math.max(min, Math.min(max, next));
  }
}

// The defaults of Gradient2Limit and WindowedLimit.
const LEAST_SAMPLES = 10;
const WARM_UP = 10;
const LONG = 600;
/** Number of calls that may wait in queues while the latency is as usual. */
const HEADROOM = 4;
const SMOOTHING = 0.2;
