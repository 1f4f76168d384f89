// The windows that grow with the line: those of streams, and that of the pipe, which measures the
// line (docs/wire-protocol.md §6).
//
// GrowingAccount counts the growth of its window as lent memory (`Memory.lent`); the growth of the
// pipe is not counted. IncomingPackets owns the window of the pipe; each InStream owns the account
// of its stream. Tested in window.test.ts, pipe.test.ts and growing-account.test.ts.

import { ACCOUNT_MAX, Account } from '../wire/frame.ts';
import { type Creditor, ReceiveAccount } from './batch.ts';
import type { SessionContext } from './session-context.ts';

/**
 * The account of a stream, whose window grows with the line. Only the pipe, the account of all
 * packets of long messages and all items, measures the line. The accounts of streams follow it
 * (`SessionContext.grown`): their credit comes back no sooner than the pipe's, so they need at
 * least as large a window.
 */
export class GrowingAccount extends ReceiveAccount {
  /** The number of bytes granted to the sender beyond the initial credit. */
  #more = 0;
  readonly #context: SessionContext;
  /** False if the pipe can't grow, so no window does. */
  readonly #grows: boolean;

  constructor(context: SessionContext, creditor: Creditor, id: number) {
    const { pipe, pipeMax, stream } = context.limits.credit;
    super(creditor, Account.STREAM, stream, id);
    this.#context = context;
    this.#grows = pipeMax > pipe;
  }

  /**
   * Gives back the cost of a unit that was used: more if the window grows, less if it shrinks. The
   * window grows with the pipe, by at most GROWTH times the bytes used, while `limits.memory` has
   * room. The window is larger than the pipe's by one unit, because a unit is charged when its
   * first packet leaves and given back after its last packet. It is not larger while more than that
   * waits for the reader. The window shrinks if there is no room, and if a reader lags.
   * @param unread the cost in bytes of the other units, which still wait for their reader.
   */
  used(cost: number, unread: number): void {
    const { grown, memory } = this.#context;
    // Usually, the pipe has not grown and units are small compared with the initial window. Then,
    // room for one more unit would gain nothing.
    const isLarge = cost > this.start >> 1;
    if (this.ended || !this.#grows || (grown === 0 && this.#more === 0 && !isLarge))
      return this.giveBack(cost, false);
    const backlog = Math.max(unread - this.start, 0);
    // Held messages and grown windows share half of `limits.memory` (docs/design.md).
    const room = memory.limit / 2 - memory.used - memory.lent;
    // The size that follows the pipe, and the change that memory and the reader allow now.
    const target = unread > cost ? grown : grown + cost;
    const step = Math.min(room, backlog > 0 ? -backlog : cost * GROWTH);
    const most = ACCOUNT_MAX - this.start;
    const wanted = Math.max(Math.min(target, this.#more + step, most), 0);
    // Credit that was granted cannot be taken back, only given back later.
    const change = Math.max(Math.round(wanted) - this.#more, -cost);
    this.#more += change;
    memory.lend(change);
    this.giveBack(cost + change, false);
  }

  /**
   * Called when the stream or its connection has ended: releases the memory that the window had
   * borrowed.
   */
  override end(): void {
    super.end();
    this.#context.memory.lend(-this.#more);
    this.#more = 0;
  }
}

/**
 * Maximum number of bytes by which the window grows for each byte used: it can triple in a round
 * trip.
 */
const GROWTH = 2;

// The size of the pipe: how many bytes of long messages and items the receiver lets the sender have
// in flight (docs/wire-protocol.md §6). Growing the window is up to the receiver: the wire protocol
// allows it to grant more than was spent.

/**
 * The window of the pipe, between the initial value from the hello and a maximum.
 *
 * A PING is sent, and its PONG arrives after the data that the sender has already written. The
 * bytes read between the two, divided by the time between them, are the rate of the line. The
 * shortest such time is the round trip without a queue. Their product is the number of bytes that
 * the line holds. The idea of sending PINGs only while bytes flow comes from gRPC's estimator ("BDP
 * estimation", https://grpc.io/blog/grpc-go-perf-improvements). The evaluation of the samples
 * follows BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016): the window is
 * the best rate of the last rounds times the shortest round trip, plus a little more. While a
 * larger window makes the rate rise, the window grows with it.
 *
 * Busy machines and unsteady paths make round trips longer, too. The same rate then needs a larger
 * window, so the window includes what the line delivers in that extra time: the mean delay that
 * neither the shortest round trip nor the window itself explains. Without this share, each late
 * round would shrink the window, and the smaller window would lower the rate, until the window is
 * back at its start value.
 *
 * Bytes in flight beyond that form a queue, and a short message waits behind them. So the window
 * gets an extra share, one millisecond of the line's rate, only while no short messages arrive.
 * That share speeds up copies within a machine or a room, and is too small to matter elsewhere. To
 * shrink the window, the receiver gives back less than was spent, so it shrinks as fast as the line
 * delivers.
 *
 * After each change, measure a long line again: `bench line` (100 ms, 100 Mbit/s; needs Linux and
 * root). It measures no thin or unsteady line; window.test.ts simulates those.
 */
export class PipeWindow {
  /** The granted window in bytes: the credit that the sender has, has in flight, or is owed. */
  granted: number;
  readonly #least: number;
  readonly #most: number;
  /** The wanted window in bytes, and its extra share while no short messages arrive. */
  #wanted: number;
  #share = 0;
  /**
   * The number of measured rounds since the last short message arrived. While it is 0,
   * `IncomingPackets.short` saves the call of `short`.
   */
  calmRounds = 0;

  /** The time at which this round's PING was sent; undefined if none is outstanding. */
  #began: number | undefined = undefined;
  /** The earliest time at which the next round may begin. */
  #next = 0;
  /** Bytes read since this round began or, between rounds, since the last PONG. */
  #read = 0;
  /** Bytes read at the time `#at`, the last time at which anything was read. */
  #burst = 0;
  #at = 0;
  /**
   * The bytes of the burst with which the round began. The data that the burst's credit allows
   * arrives only after the PONG, so the burst is counted instead of that data.
   */
  #roundBurst = 0;
  /**
   * The time at which the last round began, the number of bytes that were read in it, and whether
   * its PONG was late.
   */
  #lastBegan = 0;
  #lastRead = 0;
  #lastWasLate = false;
  /**
   * The number of bytes read between the last round and this one, and the time at which the first
   * of them was read.
   */
  #gapRead = 0;
  #gapBegan = 0;
  /** Bytes read at the time `#gapBegan`. */
  #gapBurst = 0;
  /** The granted window when the round began. */
  #roundWindow: number;
  /** True after `excuse`: the next PONG may have waited unread. */
  #spoilt = false;

  /**
   * Bytes per millisecond in the last rounds that the window bounded, or that were faster than all
   * before; `#rate` is the best of them.
   */
  readonly #rates: number[] = new Array(ROUNDS).fill(0);
  /**
   * Milliseconds of the round trip in each of those rounds that neither the line nor its queue
   * explains, at most `#trip`; and their mean.
   */
  readonly #delays: number[] = new Array(ROUNDS).fill(0);
  #delay = 0;
  #round = 0;
  #rate = 0;
  /**
   * The window that follows from the rise of the rate in the last round that the window bounded
   * (while `#starting`, the largest of them); 0 if the rate did not rise in it.
   */
  #grown = 0;
  /**
   * True until the line has been full once. The next field counts the consecutive rounds in which
   * the rate rose little or not at all.
   */
  #starting = true;
  #flatRounds = 0;
  /**
   * The number of consecutive rounds that took more than twice as long as the line and its queue
   * explain.
   */
  #longRounds = 0;
  /** The shortest round trip in milliseconds, and the time at which it was last measured. */
  #trip = Number.POSITIVE_INFINITY;
  #tripAt = 0;
  /**
   * The number of rounds with half the window that remain before the next round trip is taken as
   * the shortest. The delay of longer round trips may come from our queue or from the path; only an
   * empty queue shows which.
   */
  #probing = 0;

  /**
   * @param least the number of bytes that the hello granted; the window is never smaller.
   * @param most the largest window in bytes. If this is not above `least`, the window is fixed and
   *   nothing is measured.
   */
  constructor(least: number, most: number) {
    this.granted = this.#least = this.#wanted = this.#roundWindow = least;
    this.#most = most;
  }

  /**
   * Called when a message of one packet, but not an item, has arrived: the next one will queue
   * behind the bytes in flight.
   */
  short(): void {
    this.calmRounds = 0;
  }

  /**
   * Returns the credit to give back for a packet that was read: more than it cost while the window
   * grows, less while it shrinks.
   * @param least the minimum number of bytes to give back, even if the window is far too large.
   */
  giveBack(cost: number, now: number, least = 0): number {
    if (this.#most <= this.#least) return cost;
    if (this.#read === 0 && this.#began === undefined) {
      this.#gapBegan = now;
      this.#gapBurst = 0;
    }
    if (now === this.#gapBegan) this.#gapBurst += cost;
    this.#read += cost;
    this.#burst = now === this.#at ? this.#burst + cost : cost;
    this.#at = now;
    const wanted = this.calmRounds >= CALM ? this.#wanted + this.#share : this.#wanted;
    const change = Math.max(wanted - this.granted, least - cost);
    this.granted += change;
    return cost + change;
  }

  /**
   * Credit, in bytes, that the sender has beyond the wanted window. Some of it may be held back
   * without letting the line run dry. Read it after `giveBack`: before that, it may be negative.
   */
  get spare(): number {
    return this.granted - this.#wanted;
  }

  /**
   * Returns true if enough was read and PAUSE has passed, to begin a round. Begin one only if no
   * PING is outstanding (`Liveness.asks`), because `pong` relies on that.
   */
  wantsRound(now: number): boolean {
    return this.#began === undefined && this.#read >= this.#least && now >= this.#next;
  }

  /** Begins a round when its PING is sent. */
  begin(now: number): void {
    this.#began = now;
    this.#next = now + PAUSE;
    this.#gapRead = this.#read;
    this.#read = 0;
    this.#roundBurst = this.#burst;
    this.#roundWindow = this.granted;
  }

  /**
   * Handles a PONG, of this round or of another PING, that arrived `rtt` milliseconds after its
   * PING. During a round, it is of this round, because a session has one PING outstanding.
   */
  pong(rtt: number, now: number): void {
    const round = this.#began !== undefined && !this.#spoilt;
    const trip = Math.max(rtt, RESOLUTION);
    if (!this.#spoilt) this.#learnTrip(trip, now, round);
    if (round) this.#learnRate(Math.max(this.#read, this.#roundBurst), trip, now);
    if (round) this.#resize();
    this.#spoilt = false;
    if (this.#began !== undefined) {
      this.#lastBegan = this.#began;
      this.#lastRead = this.#read;
      this.#lastWasLate = !this.#isShort(trip);
    }
    this.#began = undefined;
    this.#read = 0;
  }

  /** Returns true for a round trip in which the data met hardly any queue. */
  #isShort(trip: number): boolean {
    return trip <= this.#trip * SHORT + NOISE;
  }

  /** Makes the current measurement unusable; see `Session.excuse`. */
  excuse(): void {
    this.#spoilt = true;
  }

  #learnTrip(trip: number, now: number, round: boolean): void {
    const probed = round && this.#probing > 0 && --this.#probing === 0;
    if (trip <= this.#trip || probed) {
      this.#trip = trip;
      this.#tripAt = now;
      // One round to drain the queue, one to measure.
    } else if (round && this.#probing === 0 && now >= this.#tripAt + FRESH) this.#probing = 2;
  }

  /**
   * Evaluates a round: keeps its rate and delay if they tell something about the line, and decides
   * whether the window grows. Before the first sample, `#rate` is 0, so `rise` and the expected
   * round trip are infinite.
   */
  #learnRate(arrived: number, trip: number, now: number): void {
    this.calmRounds++;
    // If a whole window arrives in one burst, no part of it arrives between PING and PONG. In that
    // case, the time from one burst to the next is used.
    const total = this.#gapRead + this.#read;
    let rate = Math.max(
      arrived / trip,
      (total - this.#gapBurst) / Math.max(now - this.#gapBegan, RESOLUTION),
    );
    // If this process was late, packets waited for it and were then read faster than any line
    // brings them. The mean of two rounds evens that out.
    if (this.#lastWasLate)
      rate = Math.min(
        rate,
        ((this.#lastRead + total) / Math.max(now - this.#lastBegan, RESOLUTION)) * EVEN,
      );
    // A round in which the sender had too little to send shows nothing about the line, unless the
    // round was faster than any before it.
    const bounded = rate * trip >= this.#roundWindow / 2;
    if (!bounded && rate <= this.#rate) return;
    const rise = rate / this.#rate;
    // One such round means that a machine is busy. Several in a row mean that the line itself has
    // become slower, so its old rate no longer applies.
    this.#longRounds =
      trip > Math.max(this.#trip, this.#roundWindow / this.#rate) * 2 + NOISE
        ? this.#longRounds + 1
        : 0;
    if (this.#longRounds >= STREAK) {
      this.#rates.fill(0);
      this.#delays.fill(0);
    }
    const at = this.#round++ % ROUNDS;
    this.#rates[at] = rate;
    this.#rate = Math.max(...this.#rates);
    const delay = trip - Math.max(this.#trip, this.#roundWindow / this.#rate) - NOISE;
    this.#delays[at] = Math.min(Math.max(delay, 0), this.#trip);
    this.#delay = this.#delays.reduce((sum, each) => sum + each, 0) / ROUNDS;
    if (!bounded) return;
    // A line that delivers more than before is not known to be full.
    const isShort = this.#isShort(trip);
    if (this.#starting && this.#start(rise, isShort)) return;
    this.#grown = 0;
    // If the round met a queue, its higher rate does not tell how much more the line holds. Then,
    // the window is only kept: as it was in the round, or as it is now if that is smaller.
    if (rise >= FAST)
      this.#grown = isShort
        ? this.#rate * this.#trip * Math.min(rise * FAST, ROUND_GROWTH)
        : Math.min(this.#roundWindow, this.granted);
    else if (rise >= SLOW && isShort) this.#grown = rate * this.#trip * REGROWTH;
  }

  /**
   * Keeps the window well above what the line has delivered, as BBR does in its startup phase,
   * because the sender's own congestion control also starts slowly. Returns false if the line is
   * full.
   */
  #start(rise: number, isShort: boolean): boolean {
    this.#flatRounds = rise >= FAST ? 0 : this.#flatRounds + 1;
    this.#starting = isShort && this.#flatRounds < STREAK;
    if (this.#starting) this.#grown = Math.max(this.#grown, this.#rate * this.#trip * ROUND_GROWTH);
    return this.#starting;
  }

  /**
   * Sets the wanted window: what the line holds, a little more, and what it delivers in the time
   * that busy machines add to a round trip.
   */
  #resize(): void {
    const full = this.#rate * this.#trip;
    const kept = full * (this.#round % ROUNDS < PROBES ? PROBE : QUEUE) + this.#rate * this.#delay;
    const wanted = this.#probing > 0 ? full / 2 : Math.max(kept, this.#grown);
    this.#wanted = Math.round(Math.min(Math.max(wanted, this.#least), this.#most));
    this.#share = Math.round(Math.min(this.#rate * SHARE, SHARE_MOST, this.#most - this.#wanted));
  }
}

/**
 * A rise of the rate by this factor or more, in a round that met hardly any queue, lets the window
 * grow by that rise and this factor, to at most ROUND_GROWTH times what the line holds.
 */
const FAST = 1.25;
const ROUND_GROWTH = 4;
/**
 * A rise of the rate by this factor or more, in a round that met hardly any queue, sets the window
 * to REGROWTH times what the line holds at that rate.
 */
const SLOW = 1.03;
const REGROWTH = 1.5;
/** The window as a multiple of what the line holds. The part above 1 waits in the queue. */
const QUEUE = 1.0625;
/**
 * The multiple in PROBES of every ROUNDS rounds; these rounds show whether a larger window makes
 * the line deliver more.
 */
const PROBE = 1.1875;
const PROBES = 2;

/**
 * The extra share of the window while no short messages arrive: milliseconds of the line's rate,
 * and its maximum in bytes.
 */
const SHARE = 1;
const SHARE_MOST = 2 * 1024 * 1024;
/** The number of rounds without a short message after which the extra share is granted. */
const CALM = 4;
/** Minimum time between rounds, in milliseconds: at most a hundred PINGs per second. */
const PAUSE = 10;
/** The number of rounds whose best rate counts; BBR uses ten. */
const ROUNDS = 8;
/** Maximum factor by which the later of two rounds may be faster than the mean of both. */
const EVEN = 1.25;
/** Maximum of a round trip that met hardly any queue, as a multiple of the shortest round trip. */
const SHORT = 1.25;
/** The number of consecutive rounds that count as a trend, not as a coincidence. */
const STREAK = 3;
/** Duration, in milliseconds, after which the shortest round trip is measured again, as in BBR. */
const FRESH = 10_000;
/** The time, in milliseconds, that a busy machine may add to a round trip. */
const NOISE = 1;
/** The resolution of a coarse clock, in milliseconds. */
const RESOLUTION = 0.05;
