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

/**
 * The share of the living nodes that a message reaches, by the share of nodes that failed.
 * - `paper` and `seen`: HyParView's curve, as others quote it, and the re-simulation's; neighbors
 *   see the failures at once.
 * - `first` and `firstReplica`: the first message after failures that nobody saw, in figure 6a of
 *   Plumtree's report and in the re-simulation.
 * - `lost` and `resent`: the re-simulation's mean of 1,000 messages, lost on dead links or resent.
 * - `cycles`: cycles until 99 % are reached, without messages.
 */
export const FAILURES = byShare(
  ['paper', 'seen', 'first', 'firstReplica', 'lost', 'resent', 'cycles'],
  [
    [0.1, '1', '1.0000', '1', '1.000', '1.000', '1.000', '0'],
    [0.2, '1', '1.0000', '1', '0.9996 to 1', '1.000', '1.000', '0'],
    [0.3, '1', '1.0000', '1', '0.997 to 0.998', '0.992 to 0.995', '0.998', '0'],
    [0.4, '1', '1.0000', '0.99', '0.984 to 0.988', '0.970 to 0.979', '0.988', '1'],
    [0.5, '1', '1.0000', '0.95', '0.949 to 0.954', '0.92', '0.96', '1'],
    [0.6, '1', '1.0000', '0.56 to 0.84', '0.83 to 0.84, or 0', '0.76 to 0.78', '0.87', '1'],
    [0.7, '1', '1.0000', '0 to 0.31', '0.44 to 0.50, or 0', '0.48 to 0.51', '0.70', '1'],
    [0.8, '1', '1.0000', '0', '0.002 to 0.004', '0.31', '0.53 to 0.56', '1'],
    [0.9, '–', '0.993 to 0.999', '0', '0.001 to 0.004', '0.32 to 0.34', '0.52 to 0.55', '1 to 2'],
    [0.95, '0.9', '0.871 to 0.928', '–', '0.002 to 0.004', '0.30 to 0.33', '0.38 to 0.44', 'never'],
  ],
);

/**
 * The share that the first message reached in figure 6a, as a number to plot and to compare with.
 */
export const FIRST = [1, 1, 1, 0.99, 0.95, 0.7, 0.15, 0, 0].map(
  (reached, i) => [(i + 1) / 10, reached] as const,
);

/** Plumtree (SRDS 2007; report DI-FCUL TR-07-14): table 1 and figures of the stable state. */
export const TREES = {
  eager: tree('eager push', 39_984, 0, '3.0', '9'),
  one: tree('Plumtree, one sender', 9_999, 29_987, '0', '10'),
  many: tree('Plumtree, many senders', 9_999, 29_990, '0', '50 to 75'),
  'one-optimized': tree('optimized, one sender', 9_999, 29_989, '0', '8.5'),
  'many-optimized': tree('optimized, many senders', 9_999, 38_976, '0', '17'),
};

/** The highest redundancy of a tree whose links stay; the report has 0. */
export const STABLE_REDUNDANCY = 0.05;

/** The redundancy of the very first three messages. */
export const BOOTSTRAP = ['2', '0.9', '0.03'] as const;

/**
 * Figures 6a, 6b and 7 of the report: rounds until a message reaches all again, the highest
 * redundancy meanwhile, and afterwards the last hop with one sender.
 */
export const MENDING = byShare(
  ['rounds', 'redundancy', 'lastHop'],
  [
    [0.1, '0 to 1', '–', '–'],
    [0.3, '0 to 1', '–', '–'],
    [0.4, '0 to 1', '1.9', '9.5'],
    [0.5, '0 to 1', '–', '–'],
    [0.6, '1 to 2', '2.3', '9'],
    [0.7, '1', '–', '–'],
    [0.8, '1 to 3', '2.0', '8'],
    [0.9, '2 to 4', '–', '–'],
  ],
);

/**
 * iroh-gossip's own limits (its simulation tests): hops and redundancy for one sender, many
 * senders, and a burst of all.
 */
export const SWARM = {
  one: { title: 'one sender, 30 messages', lastHop: 15, redundancy: 0.2 },
  many: { title: 'many senders, 30 messages', lastHop: 18, redundancy: 1 },
  burst: { title: 'all at once, 5 times', lastHop: 30, redundancy: 3 },
} as const;

/** Returns the figures of each share, by their names. */
function byShare<Name extends string>(
  names: readonly Name[],
  rows: readonly (readonly [share: number, ...figures: string[]])[],
): ReadonlyMap<number, Readonly<Record<Name, string>>> {
  return new Map(
    rows.map(([share, ...figures]) => {
      const named = Object.fromEntries(names.map((name, i) => [name, figures[i]]));
      return [share, named as Record<Name, string>] as const;
    }),
  );
}

function tree(
  title: string,
  payloads: number,
  control: number,
  redundancy: string,
  lastHop: string,
) {
  return { title, payloads, control, redundancy, lastHop };
}
