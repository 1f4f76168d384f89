// HyParView: failures that no neighbor sees at once.

import { SHARES } from './jobs.ts';
import { FAILURES, FIRST } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, type Section, show, tableOf } from './section.ts';
import { cyclesOf } from './seen.ts';

export function unseenSection(all: Sample, { nodes }: Scale): Section {
  const at = (share: number, how: string) => all.of({ scenario: 'unseen', share, how });
  const first = (share: number) => all.of({ scenario: 'unseen', share });
  const rows = SHARES.map((share) => ({ share, published: FAILURES.get(share)! }));
  const curve = (label: string, reached: (share: number) => number) => ({
    label,
    points: SHARES.map((share) => [100 * share, reached(share)] as const).filter(([, y]) =>
      Number.isFinite(y),
    ),
  });
  return {
    title: 'HyParView: failures that nobody sees',
    before: [
      `In the same network, a share of the ${show(nodes)} nodes fails without a sign, like machines that lose power. A node notices that a neighbor is dead when it writes to that neighbor, or when a keep-alive gets no answer. After a first message, 1,000 more are sent. A message that can't reach a dead neighbor is sent again to the node that replaces this neighbor.`,
    ],
    tables: [
      tableOf('Share of live nodes that messages reach', rows, [
        ['failed', ({ share }) => `${show(share * 100)} %`, 'shown'],
        ['first message: Plumtree, fig. 6a', ({ published }) => published.first, 'shown'],
        ['re-simulation', ({ published }) => published.firstReplica],
        ['ours', ({ share }) => show(first(share).mean('before')), 'shown'],
        ['mean of 1,000, lost: re-simulation', ({ published }) => published.lost],
        ['ours', ({ share }) => at(share, 'send').range('reliability')],
        ['mean of 1,000, sent again: re-simulation', ({ published }) => published.resent],
        ['mean of 1,000, ours', ({ share }) => at(share, 'resend').range('reliability'), 'shown'],
        ['after the 1,000, ours', ({ share }) => show(at(share, 'resend').mean('after'))],
        ['seeds', ({ share }) => String(at(share, 'send').size)],
      ]),
      tableOf('Cycles until messages reach 99 % of the living, and all', rows, [
        ['failed', ({ share }) => `${show(share * 100)} %`],
        ['re-simulation, to 99 %', ({ published }) => published.cycles],
        ['noticed by writing: to 99 %', ({ share }) => cyclesOf(at(share, 'idle'), 'nearly')],
        ['to all', ({ share }) => cyclesOf(at(share, 'idle'), 'whole')],
        ['keep-alive: to 99 %', ({ share }) => cyclesOf(at(share, 'keep-alive'), 'nearly')],
        ['to all', ({ share }) => cyclesOf(at(share, 'keep-alive'), 'whole')],
      ]),
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
          curve('seen at once', (share) =>
            all.of({ scenario: 'seen', share, book: 0 }).mean('reliability'),
          ),
          curve('unseen: the first message', (share) => first(share).mean('before')),
          curve('unseen: mean of 1,000, sent again to who comes in place', (share) =>
            at(share, 'resend').mean('reliability'),
          ),
          {
            label: "unseen: the first message, Plumtree's report (read off)",
            points: FIRST.map(([share, reached]) => [100 * share, reached]),
            isDashed: true,
          },
        ],
      },
    ],
    after: [
      'Keep-alives notice a failure within 15 s. With keep-alives, the overlay is whole again after one cycle if at most 80 % of the nodes failed.',
    ],
    verdicts: [
      // The values of figure 6a were read from the plot, to within one percent.
      ...FIRST.filter(([, reached]) => reached > 0.2).map(([share, reached]) =>
        atLeast(
          `first message after ${show(share * 100)} % failed unseen, mean`,
          first(share).mean('before'),
          reached === 0.7 ? 0.55 : reached - 0.01,
        ),
      ),
      ...SHARES.filter((share) => share <= 0.9).map((share) =>
        atMost(
          `cycles to 99 % after ${show(share * 100)} % failed unseen, keep-alive, every seed`,
          at(share, 'keep-alive').most('nearly'),
          share <= 0.8 ? 1 : 3,
        ),
      ),
    ],
  };
}
