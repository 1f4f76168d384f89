// trunkline top: a live screen of a node.

import {
  bucketPercentile,
  followNode,
  type NodeCallStatistics,
  type NodeState,
} from '@trunkline/admin';
import { type Command, Option } from 'commander';
import { explain, withNode } from '../node.ts';
import { duration, size, table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount, parseTime } from '../time.ts';

const SORTS = ['rate', 'p50', 'p99', 'active', 'errors', 'method'] as const;
type Sort = (typeof SORTS)[number];

/** The calls of one method between the last two states. */
interface Row {
  readonly method: string;
  readonly side: string;
  readonly rate: number;
  /** The upper bound of the bucket that contains the percentile, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly active: number;
  /** Failed calls since the start of the node, without those that their caller canceled. */
  readonly errors: number;
  /** Failed calls a second. */
  readonly errorRate: number;
  /** Calls a second that their caller canceled. */
  readonly cancelRate: number;
}

interface TopOptions {
  readonly interval: string;
  readonly sort: Sort;
  readonly count?: string | undefined;
  readonly all?: boolean | undefined;
}

export function addTop(program: Command, terminal: CliTerminal): void {
  program
    .command('top')
    .summary('show the calls, connections and queues of a node, live')
    .description(
      'Shows the connections, memory and queues of a node, and the calls, errors and latencies of each method, live. Keys: r, 5, 9, a, e and m sort by rate, p50, p99, active calls, errors a second and method; q ends. Without a terminal, or with --json, it prints one state after the other.',
    )
    .option('--interval <time>', 'the time between two states', '1s')
    .addOption(new Option('--sort <column>', 'the order of methods').choices(SORTS).default('rate'))
    .option('--count <number>', 'stop after this many states')
    .option('--all', "show Trunkline's own protocols, too")
    .action(async (options: TopOptions, command: Command) =>
      withNode(command, terminal, async (node) => {
        const interval = parseTime(options.interval, '--interval');
        const left =
          options.count === undefined
            ? Number.POSITIVE_INFINITY
            : parseCount(options.count, '--count');
        const asJson = command.optsWithGlobals()['json'] === true;
        const states = followNode(node.admin(), { interval, ...node.stream });
        await show(states, { ...options, left, asJson, target: node.target }, terminal);
      }),
    );
}

interface Screen {
  readonly left: number;
  readonly asJson: boolean;
  readonly target: string;
  readonly sort: Sort;
  readonly all?: boolean | undefined;
}

async function show(
  states: AsyncGenerator<NodeState, void>,
  { left, asJson, target, sort, all }: Screen,
  terminal: CliTerminal,
): Promise<void> {
  const isLive = terminal.isTerminal && !asJson;
  const end = new AbortController();
  let order = sort;
  // If the keys fail, the screen goes on without them.
  const keys = isLive
    ? followKeys(terminal, end, (chosen) => (order = chosen)).catch(() => {})
    : undefined;
  let before: NodeState | undefined;
  try {
    if (isLive) await terminal.out(ENTER);
    for await (const state of states) {
      if (end.signal.aborted) break;
      const rows = sorted(rowsOf(before, state, all === true), order);
      const { at, totals, limits } = state;
      if (asJson)
        await terminal.out(
          `${toJson({ at, name: state.node.name, methods: rows, totals, limits })}\n`,
        );
      else {
        const text = format(target, before, state, rows, order);
        await terminal.out(isLive ? `${HOME}${fit(text, terminal)}` : `${text}\n`);
      }
      before = state;
      if (--left <= 0) break;
    }
  } catch (error) {
    throw explain(error, 'admin');
  } finally {
    end.abort();
    await keys;
    if (isLive) await terminal.out(LEAVE);
  }
}

async function followKeys(
  terminal: CliTerminal,
  end: AbortController,
  choose: (sort: Sort) => void,
): Promise<void> {
  for await (const key of terminal.keys(end.signal)) {
    const chosen = KEYS[key];
    if (chosen !== undefined) choose(chosen);
    if (key === 'q') return end.abort();
  }
}

const KEYS: Readonly<Record<string, Sort>> = {
  r: 'rate',
  '5': 'p50',
  '9': 'p99',
  a: 'active',
  e: 'errors',
  m: 'method',
};

/** Returns a row for each method, from the difference of two states. */
export function rowsOf(before: NodeState | undefined, after: NodeState, all: boolean): Row[] {
  const seconds = before === undefined ? Number.NaN : (after.at - before.at) / 1_000;
  return Object.entries(after.calls)
    .filter(([, { method }]) => all || !method.startsWith('trunkline.'))
    .map(([key, calls]) => rowOf(before?.calls[key], calls, seconds));
}

function rowOf(
  before: NodeCallStatistics | undefined,
  calls: NodeCallStatistics,
  seconds: number,
): Row {
  const { method, side, active, bounds } = calls;
  const counts = calls.counts.map((count, i) => count - (before?.counts[i] ?? 0));
  const ended = counts.reduce((sum, count) => sum + count, 0);
  const errors = errorsOf(calls);
  const failed = errors - errorsOf(before);
  const cancelled = cancelledOf(calls) - cancelledOf(before);
  const perSecond = (count: number) => (Number.isNaN(seconds) ? 0 : count / seconds);
  return {
    ...{ method, side, active, errors },
    rate: perSecond(ended),
    errorRate: perSecond(failed),
    cancelRate: perSecond(cancelled),
    p50: 1_000 * bucketPercentile(counts, bounds, 0.5),
    p99: 1_000 * bucketPercentile(counts, bounds, 0.99),
  };
}

function errorsOf({ codes = {} }: Partial<NodeCallStatistics> = {}): number {
  return Object.entries(codes).reduce(
    (sum, [code, count]) => (code === 'ok' || code === 'cancelled' ? sum : sum + count),
    0,
  );
}

function cancelledOf(calls: NodeCallStatistics | undefined): number {
  return calls?.codes.cancelled ?? 0;
}

function sorted(rows: readonly Row[], order: Sort): Row[] {
  const value = (row: Row) => {
    if (order === 'method') return 0;
    return row[order === 'errors' ? 'errorRate' : order] || 0;
  };
  return rows.toSorted((a, b) => value(b) - value(a) || (a.method < b.method ? -1 : 1));
}

function format(
  target: string,
  before: NodeState | undefined,
  { at, node, totals, limits, connections }: NodeState,
  rows: readonly Row[],
  order: Sort,
): string {
  const all = Object.values(connections);
  const seconds = before === undefined ? 0 : (at - before.at) / 1_000;
  const rate = (after: number, earlier: number | undefined) =>
    seconds === 0 ? '–' : `${size(Math.max(0, after - (earlier ?? 0)) / seconds)}/s`;
  const sum = (of: (each: (typeof all)[number]) => number) =>
    all.reduce((total, each) => total + of(each), 0);
  const head = [
    `${node.name === undefined ? '' : `${node.name}  `}${target}  ${node.draining ? 'draining' : node.state}  network ${node.network}`,
    `connections ${all.length}  streams ${sum(({ streams }) => streams)}  blocked ${sum(({ blocked }) => blocked)}`,
    `received ${rate(totals.received, before?.totals.received)}  sent ${rate(totals.sent, before?.totals.sent)}  memory ${size(totals.memory)} of ${size(limits.memory)}`,
    `queues: ${totals.waiting} waiting for readers, ${sum(({ inbound }) => inbound.calls)} in, ${sum(({ outbound }) => outbound.messages)} out`,
    `sorted by ${order}`,
  ];
  const lines = rows.map((row) => [
    row.method,
    row.side,
    row.rate.toFixed(1),
    row.errorRate.toFixed(1),
    row.cancelRate.toFixed(1),
    duration(row.p50),
    duration(row.p99),
    String(row.active),
  ]);
  const columns = ['METHOD', 'SIDE', 'CALLS/S', 'ERRORS/S', 'CANCELED/S', 'P50', 'P99', 'ACTIVE'];
  return `${head.map((line) => table([[line]])).join('')}\n${table([columns, ...lines])}`;
}

/** Cuts a text to the size of the terminal, and erases what was there before. */
function fit(text: string, { size: { columns, rows } }: CliTerminal): string {
  const lines = text.split('\n').slice(0, Math.max(1, rows - 1));
  return `${lines.map((line) => `${line.slice(0, columns)}\u001b[K`).join('\n')}\u001b[J`;
}

// Sequences that switch to the alternate screen without a cursor, and back.
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
