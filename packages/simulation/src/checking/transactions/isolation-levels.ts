// The isolation levels, and the cycles of dependencies that each of them forbids.

import { KINDS } from './dependencies.ts';
import type { CycleKind } from './graph.ts';

/**
 * An isolation level, as Adya defines them (Weak Consistency, 1999). Each forbids reads of aborted
 * and of intermediate values (G1a, G1b), and these cycles:
 *
 * - `read-committed`: writes that overwrite each other (G0), and cycles of writes and reads (G1c)
 * - `repeatable-read`: also all cycles with reads that miss a write (G-single, G2). It differs from
 *   `serializable` only for reads of whole ranges, which histories do not contain, so here both
 *   forbid the same
 * - `snapshot`: as `read-committed`, and lost updates, and all cycles in which no two reads that
 *   miss a write follow each other (G-single, G-nonadjacent). It permits write skew (Cerone and
 *   Gotsman, Analysing Snapshot Isolation, J. ACM 65(2), 2018)
 * - `serializable`: all cycles
 * - `strict-serializable`: also all cycles with the order of real time
 */
export type IsolationLevel =
  | 'strict-serializable'
  | 'serializable'
  | 'snapshot'
  | 'repeatable-read'
  | 'read-committed';

/** A kind of cycle, with its name. */
export interface NamedCycle extends CycleKind {
  readonly name: string;
  readonly what: string;
}

/** The rules of a level. */
export interface LevelRules {
  /** The cycles that it forbids, the most severe first. */
  readonly cycles: readonly NamedCycle[];
  /** A kind that includes all of them. */
  readonly any: CycleKind;
}

const { ww, wr, realTime, wwFracture, wwInTime } = KINDS;
const rw = KINDS.rw | KINDS.rwFracture;
const seen = ww | wr | wwFracture;
const untimed = seen | rw;
const timed = seen | realTime | wwInTime;
const timedRw = rw | KINDS.rwInTime;

const G0: NamedCycle = {
  name: 'G0',
  first: ww,
  rest: ww,
  what: 'writes that overwrite each other',
};
const G1c: NamedCycle = {
  name: 'G1c',
  first: wr,
  rest: ww | wr,
  what: 'transactions that each see another one',
};
const G_SINGLE: NamedCycle = {
  name: 'G-single',
  first: rw,
  rest: seen,
  what: 'a read that misses a write which came before it',
};
/** Reads that contradict each other show that one of them misses a write, not which one. */
const G_SINGLE_EITHER: NamedCycle = { ...G_SINGLE, first: wwFracture };
const G_NONADJACENT: NamedCycle = {
  name: 'G-nonadjacent',
  first: rw,
  rest: untimed,
  isApart: true,
  what: 'transactions that see writes in different orders',
};
const G2: NamedCycle = {
  name: 'G2',
  first: rw,
  rest: untimed,
  what: 'reads that miss each other’s writes',
};
const IN_TIME: readonly NamedCycle[] = [
  {
    name: 'G0-real time',
    first: realTime,
    rest: ww | realTime,
    what: 'writes against the order of real time',
  },
  {
    name: 'G1c-real time',
    first: realTime,
    rest: ww | wr | realTime,
    what: 'a read against the order of real time',
  },
  { name: 'G-single-real time', first: timedRw, rest: timed, what: 'a stale read' },
  { name: 'G2-real time', first: timedRw, rest: timed | timedRw, what: 'stale reads' },
];

const committed = [G0, G1c];
const skewed = [...committed, G_SINGLE, G_SINGLE_EITHER, G_NONADJACENT];
const all = [...skewed, G2];
const serializable: LevelRules = { cycles: all, any: { first: untimed, rest: untimed } };

/** The rules of each level. */
export const LEVELS: Readonly<Record<IsolationLevel, LevelRules>> = {
  'strict-serializable': {
    cycles: [...all, ...IN_TIME],
    any: { first: timed | timedRw, rest: timed | timedRw },
  },
  serializable,
  snapshot: {
    cycles: skewed,
    any: { first: untimed, rest: untimed, isApart: true },
  },
  'repeatable-read': serializable,
  'read-committed': { cycles: committed, any: { first: ww | wr, rest: ww | wr } },
};
