// Formats the effect of attacks on honest peers and on the server as tables, and judges it.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import type { Attack } from './attacks.ts';
import type { FewFiles, Part, Round } from './rounds.ts';

export function formatTable(
  rounds: readonly Round[],
  { dialed, honest, quiet, server, newcomer }: FewFiles,
): string {
  const kinds = [...rounds[0]!.parts.keys()];
  const of = (kind: 'quiet' | Attack, figure: (part: Part) => number) =>
    round3(median(rounds.map(({ parts }) => figure(parts.get(kind)!))));
  const lines = kinds.map((kind) => [
    kind,
    of(kind, ({ rate }) => rate),
    of(kind, ({ honest }) => honest.p50),
    of(kind, ({ honest }) => honest.p99),
    kind === 'quiet' ? '' : slower(rounds, kind).toFixed(2),
    of(kind, ({ server }) => server.loopDelay),
    of(kind, ({ server }) => server.held / 2 ** 20),
    of(kind, ({ grown }) => grown / 2 ** 20),
    of(kind, ({ server }) => server.refused),
  ]);
  const failed = Object.entries(dialed.failed).map(([name, count]) => `${count} ${name}`);
  return [
    alignTable(
      [
        [
          '',
          'attacks a second',
          'honest p50 µs',
          'p99 µs',
          '÷ quiet',
          'event loop delay ms',
          'messages held MiB',
          'RSS growth MiB',
          'refused',
        ],
        ...lines,
      ],
      1,
    ),
    '',
    `ticks to 99 peers: p99 ${round3(median(rounds.map(({ ticks }) => ticks.alone.p99)))} µs; with one more that never reads: ${round3(median(rounds.map(({ ticks }) => ticks.withSlow.p99)))} µs`,
    `256 files at the server, 400 connections held: honest p99 ${round3(quiet.p99)} µs before, ${round3(honest.p99)} µs meanwhile; failed accepts: ${server.acceptFailed}; a new peer afterwards: ${round3(newcomer)} ms`,
    `256 files, 400 dials: ${dialed.up} came up, failed ${failed.join(', ') || 'none'}; a dial afterwards: ${round3(dialed.again)} ms`,
  ].join('\n');
}

export function judge(rounds: readonly Round[], { dialed, honest, newcomer }: FewFiles): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const kind of rounds[0]!.parts.keys()) {
    if (kind === 'quiet') continue;
    const ratio = slower(rounds, kind);
    verdicts.push({
      bar: `${kind}: p99 of honest calls at most ${SLOWER} times the p99 of the quiet part`,
      ratio,
      holds: ratio <= SLOWER,
    });
    const held = median(rounds.map(({ parts }) => parts.get(kind)!.server.held / 2 ** 20));
    verdicts.push({
      bar: `${kind}: the server holds at most ${HELD} MiB of messages`,
      ratio: held,
      holds: held <= HELD,
    });
  }
  const ticks = median(rounds.map(({ ticks }) => ticks.withSlow.p99 / ticks.alone.p99));
  verdicts.push({
    bar: `one slow peer among 100: p99 of the others at most ${TICKS} times the p99 without it`,
    ratio: ticks,
    holds: ticks <= TICKS,
  });
  verdicts.push({
    bar: 'no free file descriptor to accept with: calls of connected peers are answered',
    ratio: honest.count,
    holds: honest.count > 0,
  });
  verdicts.push({
    bar: `file descriptors free again: a new peer is served within ${AGAIN} ms`,
    ratio: newcomer,
    holds: newcomer <= AGAIN,
  });
  const known = Object.keys(dialed.failed).every(
    (name) => name === 'resource_exhausted' || name === 'dial_timeout',
  );
  verdicts.push({
    bar: 'no free file descriptor to dial with: each failed dial has resource_exhausted',
    ratio: dialed.up,
    holds: known && dialed.up > 0,
  });
  verdicts.push({
    bar: `file descriptors free again: a dial completes within ${AGAIN} ms`,
    ratio: dialed.again,
    holds: dialed.again <= AGAIN,
  });
  return verdicts;
}

function slower(rounds: readonly Round[], kind: Attack): number {
  return median(
    rounds.map(({ parts }) => parts.get(kind)!.honest.p99 / parts.get('quiet')!.honest.p99),
  );
}

const SLOWER = 3;
/**
 * MiB that the server may hold: four connections with 16 MiB of answers each
 * (`limits.outbound.bytes`) plus the one answer that crossed that limit, and 1 MiB for everything
 * else.
 */
const HELD = 66;
const TICKS = 1.1;
/** In milliseconds; a listener that failed tries again after at most a second. */
const AGAIN = 1_500;
