// The bars: conditions on a ratio of figures within one round, judged by the median over all
// rounds.

import {
  CONSUMER,
  type Column,
  CREDIT,
  EARLY,
  FIXED,
  INMEM,
  INMEM_STREAMS,
  JSON_PAYLOAD,
  LIMIT,
  LIMIT_INPROC,
  LIMIT_WS,
  NATS,
  PROTOBUF,
  TCP,
  WS,
} from './columns.ts';
import type { Round } from './rounds.ts';
import { median } from './statistics.ts';
import type { Figure, Figures } from './stopwatch.ts';

export interface Verdict {
  readonly bar: string;
  readonly ratio: number;
  readonly holds: boolean;
}

/** Judges the bars whose scenarios and columns ran. */
export function judge(rounds: readonly Round[], bars: readonly Bar[] = BARS): Verdict[] {
  return bars.flatMap(
    ({ bar, value, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }) => {
      const ratio = medianOf(rounds, value);
      return ratio === undefined ? [] : [{ bar, ratio, holds: ratio >= least && ratio <= most }];
    },
  );
}

/** The figure of a bar on one Node and on a newer one. */
export interface Comparison {
  readonly bar: string;
  /** The figure on the older Node; undefined if the newer one is judged by itself. */
  readonly older: number | undefined;
  readonly newer: number;
  /**
   * The factor by which the newer Node was worse than the older one in a round; the median of the
   * rounds.
   */
  readonly worse: number | undefined;
  readonly holds: boolean;
}

/**
 * Judges whether a bar is more than 15 % worse on the newer Node, for the bars whose scenarios and
 * columns ran on both Nodes in the same rounds.
 */
export function compare(older: readonly Round[], newer: readonly Round[]): Comparison[] {
  const beside = BARS.filter((bar) => bar.newer === undefined).flatMap((bar): Comparison[] => {
    const pairs = newer.flatMap((round, at) => {
      const [before, after] = [older[at] && bar.value(older[at]), bar.value(round)];
      return before === undefined || after === undefined
        ? []
        : [{ before, after, worse: bar.least === undefined ? after / before : before / after }];
    });
    if (pairs.length === 0) return [];
    const worse = median(pairs.map((pair) => pair.worse));
    const [before, after] = [
      median(pairs.map((pair) => pair.before)),
      median(pairs.map((pair) => pair.after)),
    ];
    return [
      {
        bar: withoutBound(bar.bar),
        older: before,
        newer: after,
        worse,
        holds: worse <= MOST_WORSE,
      },
    ];
  });
  const byItself = BARS.flatMap((bar) => bar.newer ?? []);
  return [
    ...beside,
    ...judge(newer, byItself).map(
      ({ bar, ratio, holds }): Comparison => ({
        bar,
        older: undefined,
        newer: ratio,
        worse: undefined,
        holds,
      }),
    ),
  ];
}

/** Returns the name of a bar without its bound, as in a comparison. */
export function withoutBound(bar: string): string {
  return bar.replace(/ at (most|least) .*/, '');
}

function medianOf(rounds: readonly Round[], value: Bar['value']): number | undefined {
  const values = rounds.map(value).filter((each) => each !== undefined);
  return values.length === 0 ? undefined : median(values);
}

interface Bar {
  readonly bar: string;
  /** Returns the figure in one round; undefined if the round lacks what the bar needs. */
  value(round: Round): number | undefined;
  readonly least?: number;
  readonly most?: number;
  /** A bar that judges a newer Node by itself instead of by comparison with the older one. */
  readonly newer?: Bar;
}

type Bounds = { readonly least: number } | { readonly most: number };

/**
 * A bar on the figure of one column divided by that of another.
 * @param scenario that of both columns; if they differ, that of each.
 */
function ratio(
  scenario: string | readonly [above: string, below: string],
  figure: Figure,
  above: Column,
  below: Column,
  bounds: Bounds,
): Bar {
  const [one, other] = typeof scenario === 'string' ? [scenario, scenario] : scenario;
  const bound = 'least' in bounds ? `at least ${bounds.least}` : `at most ${bounds.most}`;
  return {
    bar: `${one} ${figure === 'bulk' ? 'MB/s' : figure}: ${above.title} ÷ ${below.title} ${bound}`,
    value: (round) =>
      quotient(
        round.get(one)?.get(above.title)?.[figure],
        round.get(other)?.get(below.title)?.[figure],
      ),
    ...bounds,
  };
}

function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

/**
 * A bar on the cost of carrying a codec's messages beyond carrying bytes and running the codec
 * itself: CPU of both processes.
 */
function codec(column: Column): Bar {
  return {
    bar: `s2 CPU: ${column.title} ÷ (${TCP.title} + its codec in process) at most ${MOST_BESIDE_CODEC}`,
    value(round) {
      const figures = round.get('s2')?.get(column.title);
      const bytes = cpu(round.get('s2')?.get(TCP.title));
      return quotient(
        cpu(figures),
        figures?.codec === undefined || bytes === undefined ? undefined : bytes + figures.codec,
      );
    },
    most: MOST_BESIDE_CODEC,
  };
}

function cpu(figures: Figures | undefined): number | undefined {
  return figures?.clientCpu === undefined || figures.serverCpu === undefined
    ? undefined
    : figures.clientCpu + figures.serverCpu;
}

/** The most RSS that an idle connection may take, in KiB. */
const MOST_MEMORY = 16;
const MOST_BESIDE_CODEC = 1.15;

/** The factor by which a bar's figure may be worse on a newer Node. */
const MOST_WORSE = 1.15;

/**
 * The most that our p99 at s6 may be of that of `limit-net-credit`. It judges newer Nodes, because
 * the tail of `limit-net` itself has changed with Node.
 */
const MOST_TAIL = 1.3;

const BARS: readonly Bar[] = [
  ratio('s1', 'p50', TCP, LIMIT, { most: 1.1 }),
  ratio('s2', 'rate', TCP, LIMIT, { least: 1.2 }),
  ratio('s2', 'rate', TCP, EARLY, { least: 0.7 }),
  ratio('s2', 'rate', CONSUMER, LIMIT, { least: 1 }),
  codec(JSON_PAYLOAD),
  codec(PROTOBUF),
  ratio('s2', 'rate', WS, LIMIT_WS, { least: 1.4 }),
  ratio('s2', 'rate', INMEM, LIMIT_INPROC, { least: 0.4 }),
  ratio('s2', 'rate', INMEM_STREAMS, LIMIT_INPROC, { least: 0.3 }),
  ratio('s3', 'rate', TCP, LIMIT, { least: 0.9 }),
  ratio('s3', 'rate', WS, LIMIT_WS, { least: 1.4 }),
  ratio('s4', 'bulk', TCP, CREDIT, { least: 1 }),
  ratio('s5', 'bulk', FIXED, CREDIT, { least: 0.9 }),
  ratio('s5', 'bulk', TCP, CREDIT, { least: 1.3 }),
  ratio('s5', 'bulk', WS, LIMIT_WS, { least: 0.75 }),
  ratio('s6', 'p50', TCP, LIMIT, { most: 0.06 }),
  {
    ...ratio('s6', 'p99', TCP, LIMIT, { most: 0.15 }),
    newer: ratio('s6', 'p99', TCP, CREDIT, { most: MOST_TAIL }),
  },
  ratio('s6', 'bulk', TCP, CREDIT, { least: 0.7 }),
  ratio('s6', 'p50', WS, LIMIT_WS, { most: 0.06 }),
  ratio(['s6-elsewhere', 's6'], 'p50', TCP, LIMIT, { most: 0.06 }),
  {
    ...ratio(['s6-elsewhere', 's6'], 'p99', TCP, LIMIT, { most: 0.15 }),
    newer: ratio(['s6-elsewhere', 's6'], 'p99', TCP, CREDIT, { most: MOST_TAIL }),
  },
  ratio(['s6-elsewhere', 's6'], 'bulk', TCP, CREDIT, { least: 0.7 }),
  ratio('s7', 'rate', TCP, LIMIT, { least: 0.3 }),
  ratio('s7', 'rate', TCP, NATS, { least: 1 }),
  {
    bar: `s8 RSS: ${TCP.title} at most ${MOST_MEMORY} KiB per connection`,
    value: (round) => round.get('s8')?.get(TCP.title)?.rss,
    most: MOST_MEMORY,
  },
];
