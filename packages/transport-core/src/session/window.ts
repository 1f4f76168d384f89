// How large the pipe is: what its receiver lets the sender have on the way, in packets of long messages and items (docs/wire-protocol.md §6).
// That the window grows is the receiver's own affair: the wire allows granting more than was spent.

/**
 * The window of the pipe, between the start that the hello told and a maximum.
 *
 * A PING goes out, and its PONG comes back behind what the sender has written: the bytes read between the two, by the time between them,
 * are the rate of the line, and the shortest such time is its round trip without a queue. Their product is what the line holds. Asking
 * by PING, and only while bytes flow, is the estimator of gRPC ("BDP estimation", https://grpc.io/blog/grpc-go-perf-improvements); what is
 * made of the samples is BBR's (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016): the best rate of the last rounds by
 * the shortest round trip, and a little more. While a larger window makes the rate rise, the window grows with it.
 *
 * Busy machines and an unsteady path make round trips longer, too. The window must then be larger for the same rate, so it includes what
 * the line delivers in that time: the mean of what neither the shortest round trip nor the window itself explains. Without that share each
 * late round would make the window smaller, the smaller window the rate, and so on down to the start.
 *
 * What is on the way beyond that stands in a queue, and a short message stands behind it. So the window has a further share, of a
 * millisecond of the line, only while nothing short comes in; it lets copies within a machine or a room run, and is too little to see
 * anywhere else. The window shrinks by what is not given back, so as fast as the line delivers.
 */
export class PipeWindow {
  /** What the sender has, or is owed: the window as it is granted. */
  granted: number;
  readonly #least: number;
  readonly #most: number;
  /** The window that is wanted, and its further share while nothing short is about. */
  #wanted: number;
  #share = 0;
  /** Rounds since the last short message came in. */
  #calm = 0;

  /** When the PING of this round went out; undefined: none is out. */
  #began: number | undefined = undefined;
  /** The next may not begin earlier. */
  #next = 0;
  /** Read since this round began, or since the last one was over. */
  #read = 0;
  /** Read at one time, and when. */
  #burst = 0;
  #at = 0;
  /** The burst that the round began with: what its credit brings comes behind the PONG, so it stands for that. */
  #first = 0;
  /** When the last round began, how many bytes were read in it, and whether its PONG was late. */
  #before = 0;
  #earlier = 0;
  #late = false;
  /** Bytes read between the last round and this one, and when the first of them was read. */
  #between = 0;
  #from = 0;
  /** Bytes read at that time. */
  #head = 0;
  /** What the sender was granted when the round began. */
  #open: number;
  /** We slept: the next PONG may have waited unread. */
  #spoilt = false;

  /** Bytes a millisecond in the last rounds that the window bounded, and the best of them. */
  readonly #rates: number[] = new Array(ROUNDS).fill(0);
  /** Milliseconds of the round trip in each of those rounds that neither the line nor its queue explains, and their mean. */
  readonly #delays: number[] = new Array(ROUNDS).fill(0);
  #delay = 0;
  #round = 0;
  #rate = 0;
  /** The window that follows from a rise of the rate; 0 if the rate did not rise. */
  #grown = 0;
  /** The line was never seen full, and rounds in a row that made the rate rise little. */
  #starting = true;
  #flat = 0;
  /** Rounds in a row that took more than twice as long as the line and its queue explain. */
  #long = 0;
  /** The shortest round trip, and when it was seen last. */
  #trip = Number.POSITIVE_INFINITY;
  #seen = 0;
  /** Rounds left, with half the window, until the next round trip is taken for the shortest: longer ones may be the queue's or the path's. */
  #probing = 0;

  /**
   * @param least bytes, as the hello told them; the window is never smaller.
   * @param most bytes; where that is no more than `least`, the window is fixed, and nothing is measured.
   */
  constructor(least: number, most: number) {
    this.granted = this.#least = this.#wanted = this.#open = least;
    this.#most = most;
  }

  /** Something short came in: the next will stand behind what is on the way. */
  short(): void {
    this.#calm = 0;
  }

  /**
   * Tells what is given back for a packet that was read: more than it cost while the window grows, less while it shrinks.
   * @param least never less than this, however much too large the window is.
   */
  giveBack(cost: number, now: number, least = 0): number {
    if (this.#most <= this.#least) return cost;
    if (this.#read === 0 && this.#began === undefined) {
      this.#from = now;
      this.#head = 0;
    }
    if (now === this.#from) this.#head += cost;
    this.#read += cost;
    this.#burst = now === this.#at ? this.#burst + cost : cost;
    this.#at = now;
    const wanted = this.#calm >= CALM ? this.#wanted + this.#share : this.#wanted;
    const change = Math.max(wanted - this.granted, least - cost);
    this.granted += change;
    return cost + change;
  }

  /** What the sender has beyond what the line holds: some of it may be held back, and the line does not run dry. */
  get spare(): number {
    return this.granted - this.#wanted;
  }

  /** Enough was read for a round to begin, with a PING. */
  wantsRound(now: number): boolean {
    return this.#began === undefined && this.#read >= this.#least && now >= this.#next;
  }

  /** Its PING goes out. */
  begin(now: number): void {
    this.#began = now;
    this.#next = now + PAUSE;
    this.#between = this.#read;
    this.#read = 0;
    this.#first = this.#burst;
    this.#open = this.granted;
  }

  /** A PONG came, of a round or another, so long after its PING. */
  pong(rtt: number, now: number): void {
    const round = this.#began !== undefined && !this.#spoilt;
    const trip = Math.max(rtt, RESOLUTION);
    if (!this.#spoilt) this.#learnTrip(trip, now, round);
    if (round) this.#learnRate(Math.max(this.#read, this.#first), trip, now);
    if (round) this.#resize();
    this.#spoilt = false;
    if (this.#began !== undefined) {
      this.#before = this.#began;
      this.#earlier = this.#read;
      this.#late = trip > this.#trip * 1.25 + NOISE;
    }
    this.#began = undefined;
    this.#read = 0;
  }

  /** We slept: what is measured now is our sleep. */
  excuse(): void {
    this.#spoilt = true;
  }

  #learnTrip(trip: number, now: number, round: boolean): void {
    const probed = round && this.#probing > 0 && --this.#probing === 0;
    if (trip <= this.#trip || probed) {
      this.#trip = trip;
      this.#seen = now;
    } else if (round && this.#probing === 0 && now >= this.#seen + FRESH) this.#probing = 2; // One round to drain the queue, one to measure.
  }

  #learnRate(read: number, trip: number, now: number): void {
    this.#calm++;
    // If a window comes in one burst, none of it comes between PING and PONG. Then the time from one burst to the next counts.
    const total = this.#between + this.#read;
    let rate = Math.max(read / trip, (total - this.#head) / Math.max(now - this.#from, RESOLUTION));
    // If this process was late, packets waited for it and were then read faster than any line brings them. Two rounds even that out.
    if (this.#late) rate = Math.min(rate, ((this.#earlier + total) / Math.max(now - this.#before, RESOLUTION)) * EVEN);
    // A sender that had not enough to send says nothing about the line, unless it was faster than ever.
    const bounded = rate * trip >= this.#open / 2;
    if (!bounded && rate <= this.#rate) return;
    const rise = rate / this.#rate;
    // One such round is a busy machine. After several the line has become slower, and its old rate says nothing any more.
    this.#long = trip > Math.max(this.#trip, this.#open / this.#rate) * 2 + NOISE ? this.#long + 1 : 0;
    if (this.#long >= STREAK) {
      this.#rates.fill(0);
      this.#delays.fill(0);
    }
    const at = this.#round++ % ROUNDS;
    this.#rates[at] = rate;
    this.#rate = Math.max(...this.#rates);
    const delay = trip - Math.max(this.#trip, this.#open / this.#rate) - NOISE;
    this.#delays[at] = Math.min(Math.max(delay, 0), this.#trip);
    this.#delay = this.#delays.reduce((sum, each) => sum + each, 0) / ROUNDS;
    if (!bounded) return;
    // A line that delivers more than before is not known to be full.
    const isShort = trip <= this.#trip * 1.25 + NOISE;
    if (this.#starting && this.#start(rise, isShort)) return;
    this.#grown = 0;
    if (rise >= FAST) this.#grown = isShort ? this.#rate * this.#trip * Math.min(rise * FAST, GROWTH) : Math.min(this.#open, this.granted);
    else if (rise >= SLOW && isShort) this.#grown = rate * this.#trip * REGROWTH;
  }

  /**
   * Keeps the window well above what the line has delivered, as BBR's startup does, because the sender's
   * own congestion control starts slowly, too. False: the line is full.
   */
  #start(rise: number, isShort: boolean): boolean {
    this.#flat = rise >= FAST ? 0 : this.#flat + 1;
    this.#starting = isShort && this.#flat < STREAK;
    if (this.#starting) this.#grown = Math.max(this.#grown, this.#rate * this.#trip * GROWTH);
    return this.#starting;
  }

  /** What the line holds, a little more, and what it delivers in the time that busy machines add to a round trip. */
  #resize(): void {
    const full = this.#rate * this.#trip;
    const kept = full * (this.#round % ROUNDS < PROBES ? PROBE : QUEUE) + this.#rate * this.#delay;
    const wanted = this.#probing > 0 ? full / 2 : Math.max(kept, this.#grown);
    this.#wanted = Math.round(Math.min(Math.max(wanted, this.#least), this.#most));
    this.#share = Math.round(Math.min(this.#rate * SHARE, SHARE_MOST, this.#most - this.#wanted));
  }
}

/** The rise of the rate from which on the window grows by that rise and this factor, to at most GROWTH times what the line holds. */
const FAST = 1.25;
const GROWTH = 4;
/** The rise of the rate from which on the window becomes REGROWTH times what the line holds at it. */
const SLOW = 1.03;
const REGROWTH = 1.5;
/** The window in terms of what the line holds. What is above 1 stands in the queue. */
const QUEUE = 1.0625;
/** The same in PROBES of ROUNDS rounds: they show whether the line delivers more for a larger window. */
const PROBE = 1.1875;
const PROBES = 2;

/** Milliseconds of the line's rate, and bytes, that the window has beyond what the line holds while nothing short is about. */
const SHARE = 1;
const SHARE_MOST = 2 * 1024 * 1024;
/** Rounds without anything short after which nothing short is about. */
const CALM = 4;
/** Milliseconds from one round to the next, at the least: a hundred PINGs a second. */
const PAUSE = 10;
/** Rounds whose best rate counts: BBR's are ten. */
const ROUNDS = 8;
/** How much faster than the mean of two rounds the later one may have been. */
const EVEN = 1.25;
/** Rounds in a row that are no accident. */
const STREAK = 3;
/** Milliseconds after which the shortest round trip is measured anew, as in BBR. */
const FRESH = 10_000;
/** Milliseconds that a round trip may be longer because a machine was busy. */
const NOISE = 1;
/** Milliseconds that a clock may not tell apart. */
const RESOLUTION = 0.05;
