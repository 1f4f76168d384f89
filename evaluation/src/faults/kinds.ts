// The faults that are tried on real kernels and in the simulation, and the required outcome of
// each.

import type { Line } from '@trunkline/bench/long-line/line';
import type { Simulation } from '@trunkline/simulation';

/** The outcome of one end's connection: whether it lived, or the reason and the time of its end. */
export interface Fate {
  /**
   * The reason of the error, or its code if it has no reason; undefined if the connection survived.
   */
  readonly reason: string | undefined;
  /** Seconds from the fault until the connection ended. */
  readonly after: number | undefined;
  /** Seconds of the slowest call that was answered since the fault. */
  readonly slowest: number;
  /** Calls that were answered since the fault. */
  readonly answered: number;
}

/** Both ends of the connection: the one that dialed and the one that accepted. */
export interface Fates {
  readonly caller: Fate;
  readonly callee: Fate;
}

/** The outcome that one end must have; `least` and `most` bound the seconds until its end. */
export interface Wanted {
  readonly reason: string | undefined;
  readonly least?: number;
  readonly most?: number;
}

/** The line and the process of the callee, on which a real fault acts. */
export interface Place {
  readonly line: Line;
  readonly calleePid: number;
}

export interface FaultKind {
  readonly name: string;
  /** Bytes of the caller's requests. */
  readonly size: number;
  /** Seconds from the fault until `end` is called, and until both ends report their outcome. */
  readonly lasts: number;
  readonly watched: number;
  /** The delay of the line before the fault, in milliseconds each way. */
  readonly delay: number;
  begin(place: Place): void;
  end?(place: Place): void;
  /** The same fault in the simulation; absent if the simulation cannot cause it. */
  readonly simulate?: {
    begin(sim: Simulation, ends: readonly [caller: string, callee: string]): void;
    end?(sim: Simulation): void;
  };
  readonly wanted: { readonly caller: Wanted; readonly callee: Wanted };
}

const lives: Wanted = { reason: undefined };
const both = (wanted: Wanted) => ({ caller: wanted, callee: wanted });
const silence: Wanted = { reason: 'ping_timeout', least: 14.5, most: 15.3 };

export const KINDS: readonly FaultKind[] = [
  {
    name: 'drop all',
    size: 64,
    lasts: 17,
    watched: 17,
    delay: 1,
    begin: ({ line }) => line.set({ drop: 1 }),
    simulate: { begin: (sim, [caller, callee]) => sim.cut(caller, callee) },
    wanted: both(silence),
  },
  {
    name: 'RST',
    size: 64,
    lasts: 2,
    watched: 2,
    delay: 1,
    begin: ({ line }) => line.reject(),
    simulate: { begin: (sim, [caller, callee]) => sim.reset(caller, callee) },
    wanted: both({ reason: 'reset', most: 0.2 }),
  },
  {
    name: 'reordering, 25 %',
    size: 64,
    lasts: 6,
    watched: 6,
    delay: 20,
    begin: ({ line }) => line.set({ reorder: 0.25 }),
    simulate: {
      begin: (sim, [caller, callee]) => sim.link(caller, callee, { latency: 20, reorder: 0.25 }),
    },
    wanted: both(lives),
  },
  {
    name: 'loss, 5 %',
    size: 64,
    lasts: 10,
    watched: 10,
    delay: 1,
    begin: ({ line }) => line.set({ loss: 0.05 }),
    simulate: {
      begin: (sim, [caller, callee]) => sim.link(caller, callee, { latency: 1, loss: 0.05 }),
    },
    wanted: both(lives),
  },
  {
    name: 'round trip of 100 ms',
    size: 64,
    lasts: 5,
    watched: 5,
    delay: 1,
    begin: ({ line }) => line.set({ delay: 50 }),
    simulate: { begin: (sim, [caller, callee]) => sim.link(caller, callee, { latency: 50 }) },
    wanted: both(lives),
  },
  {
    name: 'MTU black hole, 1,000 bytes',
    size: 200_000,
    lasts: 14,
    watched: 14,
    delay: 1,
    begin: ({ line }) => line.set({ mtu: 1_000 }),
    wanted: both({ reason: 'reset', least: 9.5, most: 12 }),
  },
  {
    name: 'callee stopped for 5 s (SIGSTOP)',
    size: 64,
    lasts: 5,
    watched: 8,
    delay: 1,
    begin: ({ calleePid }) => process.kill(calleePid, 'SIGSTOP'),
    end: ({ calleePid }) => process.kill(calleePid, 'SIGCONT'),
    simulate: { begin: (sim, [, callee]) => sim.pause(callee, 5_000) },
    wanted: both(lives),
  },
  {
    name: 'callee stopped for 20 s (SIGSTOP)',
    size: 64,
    lasts: 20,
    watched: 22,
    delay: 1,
    begin: ({ calleePid }) => process.kill(calleePid, 'SIGSTOP'),
    end: ({ calleePid }) => process.kill(calleePid, 'SIGCONT'),
    simulate: { begin: (sim, [, callee]) => sim.pause(callee, 20_000) },
    wanted: { caller: silence, callee: { reason: 'reset', least: 19.5, most: 21 } },
  },
  {
    name: 'drop all for 5 s',
    size: 64,
    lasts: 5,
    watched: 12,
    delay: 1,
    begin: ({ line }) => line.set({ drop: 1 }),
    end: ({ line }) => line.set({ drop: 0 }),
    simulate: {
      begin: (sim, [caller, callee]) => sim.cut(caller, callee),
      end: (sim) => sim.heal(),
    },
    wanted: both(lives),
  },
  {
    name: 'link down for 5 s',
    size: 64,
    lasts: 5,
    watched: 12,
    delay: 1,
    begin: ({ line }) => line.plug('down'),
    end: ({ line }) => line.plug('up'),
    // A kernel that knows its own device is down retries every half second, so nothing is lost.
    simulate: {
      begin: (sim, [caller, callee]) => sim.hold(caller, callee),
      end: (sim) => sim.heal(),
    },
    wanted: both(lives),
  },
];
