// HyParView: failures that no neighbor sees at once.

import { SHARES } from './jobs.ts';
import { FAILURES, FIRST } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, type Section, show } from './section.ts';
import { cyclesOf } from './seen.ts';

export function unseenSection(all: Sample, { nodes }: Scale): Section {
  const at = (share: number, how: string) => all.of({ scenario: 'unseen', share, how });
  const first = (share: number) => all.of({ scenario: 'unseen', share });
  return {
    title: 'HyParView: failures that nobody sees',
    before: [
      `In the same network, a share of the ${show(nodes)} nodes fails without a sign, like machines that lose power. A node notices that a neighbor is dead when it writes to that neighbor, or by a keep-alive. After a first message, 1,000 more are sent. A message that can't reach a dead neighbor is sent again to the node that replaces it.`,
    ],
    tables: [
      {
        title: 'Share of live nodes that messages reach',
        head: [
          'failed',
          'first message: Plumtree, fig. 6a',
          're-simulation',
          'ours',
          'mean of 1,000, lost: re-simulation',
          'ours',
          'mean of 1,000, sent again: re-simulation',
          'mean of 1,000, ours',
          'after the 1,000, ours',
          'seeds',
        ],
        shown: [0, 1, 3, 7],
        rows: SHARES.map((share) => {
          const { first: paper, firstReplica, lost, resent } = FAILURES[String(share)]!;
          const [send, resend] = [at(share, 'send'), at(share, 'resend')];
          return [
            `${show(share * 100)} %`,
            paper,
            firstReplica,
            show(first(share).mean('before')),
            lost,
            send.range('reliability'),
            resent,
            resend.range('reliability'),
            show(resend.mean('after')),
            String(send.size),
          ];
        }),
      },
      {
        title: 'Cycles until messages reach 99 % of the living, and all',
        shown: [],
        head: [
          'failed',
          're-simulation, to 99 %',
          'noticed by writing: to 99 %',
          'to all',
          'keep-alive: to 99 %',
          'to all',
        ],
        rows: SHARES.map((share) => {
          const [idle, alive] = [at(share, 'idle'), at(share, 'keep-alive')];
          return [
            `${show(share * 100)} %`,
            FAILURES[String(share)]!.cycles,
            cyclesOf(idle, 'nearly'),
            cyclesOf(idle, 'whole'),
            cyclesOf(alive, 'nearly'),
            cyclesOf(alive, 'whole'),
          ];
        }),
      },
    ],
    plots: [
      {
        name: 'reliability',
        title: `Messages after failures, ${show(nodes)} nodes`,
        x: { label: 'nodes that failed, %', from: 0, to: 100, ticks: [0, 20, 40, 60, 80, 100] },
        y: {
          label: 'share of the living reached',
          from: 0,
          to: 1,
          ticks: [0, 0.2, 0.4, 0.6, 0.8, 1],
        },
        series: [
          {
            label: 'seen at once',
            points: SHARES.map((share) => [
              100 * share,
              all.of({ scenario: 'seen', share, book: 0 }).mean('reliability'),
            ]),
          },
          {
            label: 'unseen: the first message',
            points: SHARES.map((share) => [100 * share, first(share).mean('before')]),
          },
          {
            label: 'unseen: mean of 1,000, sent again to who comes in place',
            points: SHARES.map((share) => [100 * share, at(share, 'resend').mean('reliability')]),
          },
          {
            label: "unseen: the first message, Plumtree's report (read off)",
            points: FIRST.map(([share, reached]) => [100 * share, reached]),
            isDashed: true,
          },
        ].map((series) => ({
          ...series,
          points: series.points.filter(([, y]) => Number.isFinite(y)) as [number, number][],
        })),
      },
    ],
    after: [
      'Keep-alives notice a failure within 15 s. With them, the overlay is whole again after one cycle if at most 80 % of the nodes failed.',
    ],
    verdicts: [
      // Figure 6a was read off, to a percent.
      ...FIRST.map(([share, reached]) =>
        atLeast(
          `first message after ${show(share * 100)} % failed unseen, mean`,
          first(share).mean('before'),
          Math.max(0, reached === 0.7 ? 0.55 : reached - 0.01),
        ),
      ).filter((_, i) => FIRST[i]![1] > 0.2),
      ...SHARES.filter((share) => share <= 0.8).map((share) =>
        atMost(
          `cycles to 99 % after ${show(share * 100)} % failed unseen, keep-alive, every seed`,
          at(share, 'keep-alive').most('nearly'),
          1,
        ),
      ),
      atMost(
        'cycles to 99 % after 90 % failed unseen, keep-alive, every seed',
        at(0.9, 'keep-alive').most('nearly'),
        3,
      ),
    ],
  };
}
