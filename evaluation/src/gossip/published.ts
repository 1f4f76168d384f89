// Published figures of the papers and of implementers, to compare ours with. Values from plots were
// read off, to about a percent.

/**
 * HyParView (DSN 2007), table 1, with Cyclon's and Scamp's figures from there, and a re-simulation
 * in JavaScript with three seeds.
 */
export const GRAPH = {
  clustering: {
    paper: '0.00092',
    replica: '0.00087 to 0.00138',
    cyclon: '0.00684',
    scamp: '0.0225',
  },
  path: { paper: '6.39', replica: '6.38 to 6.39', cyclon: '2.60', scamp: '3.35' },
  hops: { paper: '9.0', replica: '8.3', cyclon: '10.6', scamp: '14.1' },
  longest: { paper: '–', replica: '9', cyclon: '–', scamp: '–' },
  symmetric: { paper: '–', replica: '0.998', cyclon: '–', scamp: '–' },
  known: { paper: '–', replica: '13 to 49, median 30', cyclon: '–', scamp: '–' },
} as const;

/** The share of the living nodes that a message reaches, by the share of nodes that failed. */
export interface AfterFailures {
  /**
   * HyParView's curve, as others quote it, and the re-simulation's; neighbors see the
   * failures at once.
   */
  readonly paper: string;
  readonly seen: string;
  /**
   * The first message after failures that nobody saw: figure 6a of Plumtree's report, and the
   * re-simulation.
   */
  readonly first: string;
  readonly firstReplica: string;
  /** The re-simulation's mean of 1,000 messages: lost on dead links, and resent. */
  readonly lost: string;
  readonly resent: string;
  /** Cycles until 99 % are reached, without messages. */
  readonly cycles: string;
}

export const FAILURES: Readonly<Record<string, AfterFailures>> = {
  '0.1': {
    paper: '1',
    seen: '1.0000',
    first: '1',
    firstReplica: '1.000',
    lost: '1.000',
    resent: '1.000',
    cycles: '0',
  },
  '0.2': {
    paper: '1',
    seen: '1.0000',
    first: '1',
    firstReplica: '0.9996 to 1',
    lost: '1.000',
    resent: '1.000',
    cycles: '0',
  },
  '0.3': {
    paper: '1',
    seen: '1.0000',
    first: '1',
    firstReplica: '0.997 to 0.998',
    lost: '0.992 to 0.995',
    resent: '0.998',
    cycles: '0',
  },
  '0.4': {
    paper: '1',
    seen: '1.0000',
    first: '0.99',
    firstReplica: '0.984 to 0.988',
    lost: '0.970 to 0.979',
    resent: '0.988',
    cycles: '1',
  },
  '0.5': {
    paper: '1',
    seen: '1.0000',
    first: '0.95',
    firstReplica: '0.949 to 0.954',
    lost: '0.92',
    resent: '0.96',
    cycles: '1',
  },
  '0.6': {
    paper: '1',
    seen: '1.0000',
    first: '0.56 to 0.84',
    firstReplica: '0.83 to 0.84, or 0',
    lost: '0.76 to 0.78',
    resent: '0.87',
    cycles: '1',
  },
  '0.7': {
    paper: '1',
    seen: '1.0000',
    first: '0 to 0.31',
    firstReplica: '0.44 to 0.50, or 0',
    lost: '0.48 to 0.51',
    resent: '0.70',
    cycles: '1',
  },
  '0.8': {
    paper: '1',
    seen: '1.0000',
    first: '0',
    firstReplica: '0.002 to 0.004',
    lost: '0.31',
    resent: '0.53 to 0.56',
    cycles: '1',
  },
  '0.9': {
    paper: '–',
    seen: '0.993 to 0.999',
    first: '0',
    firstReplica: '0.001 to 0.004',
    lost: '0.32 to 0.34',
    resent: '0.52 to 0.55',
    cycles: '1 to 2',
  },
  '0.95': {
    paper: '0.9',
    seen: '0.871 to 0.928',
    first: '–',
    firstReplica: '0.002 to 0.004',
    lost: '0.30 to 0.33',
    resent: '0.38 to 0.44',
    cycles: 'never',
  },
};

/**
 * The share that the first message reached in figure 6a, as a number to plot and to compare with.
 */
export const FIRST: readonly (readonly [share: number, reached: number])[] = [
  [0.1, 1],
  [0.2, 1],
  [0.3, 1],
  [0.4, 0.99],
  [0.5, 0.95],
  [0.6, 0.7],
  [0.7, 0.15],
  [0.8, 0],
  [0.9, 0],
];

/** Plumtree (SRDS 2007; report DI-FCUL TR-07-14): table 1 and figures of the stable state. */
export const TREES = {
  eager: { title: 'eager push', payloads: 39_984, control: 0, redundancy: '3.0', lastHop: '9' },
  one: {
    title: 'Plumtree, one sender',
    payloads: 9_999,
    control: 29_987,
    redundancy: '0',
    lastHop: '10',
  },
  many: {
    title: 'Plumtree, many senders',
    payloads: 9_999,
    control: 29_990,
    redundancy: '0',
    lastHop: '50 to 75',
  },
  'one-optimized': {
    title: 'optimized, one sender',
    payloads: 9_999,
    control: 29_989,
    redundancy: '0',
    lastHop: '8.5',
  },
  'many-optimized': {
    title: 'optimized, many senders',
    payloads: 9_999,
    control: 38_976,
    redundancy: '0',
    lastHop: '17',
  },
} as const;

/** The highest redundancy of a tree whose links stay; the report has 0. */
export const STABLE_REDUNDANCY = 0.05;

/** The redundancy of the very first three messages. */
export const BOOTSTRAP = ['2', '0.9', '0.03'] as const;

/**
 * Figures 6a, 6b and 7 of the report: rounds until a message reaches all again, the highest
 * redundancy meanwhile, and afterwards the last hop with one sender.
 */
export const MENDING: Readonly<
  Record<string, { readonly rounds: string; readonly redundancy: string; readonly lastHop: string }>
> = {
  '0.1': { rounds: '0 to 1', redundancy: '–', lastHop: '–' },
  '0.3': { rounds: '0 to 1', redundancy: '–', lastHop: '–' },
  '0.4': { rounds: '0 to 1', redundancy: '1.9', lastHop: '9.5' },
  '0.5': { rounds: '0 to 1', redundancy: '–', lastHop: '–' },
  '0.6': { rounds: '1 to 2', redundancy: '2.3', lastHop: '9' },
  '0.7': { rounds: '1', redundancy: '–', lastHop: '–' },
  '0.8': { rounds: '1 to 3', redundancy: '2.0', lastHop: '8' },
  '0.9': { rounds: '2 to 4', redundancy: '–', lastHop: '–' },
};

/**
 * iroh-gossip's own limits (its simulation tests): hops and redundancy for one sender, many
 * senders, and a burst of all.
 */
export const SWARM = {
  one: { title: 'one sender, 30 messages', lastHop: 15, redundancy: 0.2 },
  many: { title: 'many senders, 30 messages', lastHop: 18, redundancy: 1 },
  burst: { title: 'all at once, 5 times', lastHop: 30, redundancy: 3 },
} as const;
