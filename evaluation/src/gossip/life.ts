// The sections on churn in cycles and on swarms of whole nodes.

import { SENDERS } from './jobs.ts';
import { STABLE_REDUNDANCY, SWARM } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atMost, below, type Section, show, tableOf } from './section.ts';

export function churnSection(all: Sample, { nodes, fewNodes }: Scale): Section {
  const sizes = [...new Set([fewNodes, nodes])];
  const at = (count: number) => all.of({ scenario: 'churn', nodes: count });
  return {
    title: 'Churn',
    before: [
      'In each cycle of a minute, 50 nodes fail, half of them unnoticed, and 50 nodes join, while messages are in flight. Only deliveries to nodes that live through the cycle are counted.',
    ],
    tables: [
      tableOf(
        '50 nodes fail and 50 join in each of 100 cycles',
        sizes.map((count) => ({ count, runs: at(count) })),
        [
          ['nodes', ({ count }) => show(count), 'shown'],
          ['paper, 50 out', ({ count }) => (count === 10_000 ? '100 %' : '–'), 'shown'],
          ['delivered, ours', ({ runs }) => show(runs.sum('deliveries')), 'shown'],
          ['missed', ({ runs }) => show(runs.sum('missed')), 'shown'],
          ['least reached before any view was mended', ({ runs }) => show(runs.least('at once'))],
          ['redundancy', ({ runs }) => runs.range('redundancy'), 'shown'],
          ['parts in the end', ({ runs }) => runs.span('parts')],
          ['seeds', ({ runs }) => String(runs.size)],
        ],
      ),
    ],
    plots: [],
    after: [],
    verdicts: sizes.map((count) =>
      atMost(`deliveries missed, ${show(count)} nodes`, at(count).sum('missed'), 0),
    ),
  };
}

export function swarmSection(all: Sample, { swarms }: Scale): Section {
  const kinds = swarms.flatMap((count) =>
    SENDERS.map((how) => {
      const runs = all.of({ scenario: 'swarm', nodes: count, how });
      return { count, how, runs, isSteady: runs.sum('steady rounds') > 0, limit: SWARM[how] };
    }),
  );
  return {
    title: "Whole nodes: iroh-gossip's limits",
    before: [
      "Each node runs codecs, peers, and gossip with default options on a simulated transport. Each link takes 10 to 100 ms one way, and all nodes know one bootstrap node. The limits are those that iroh-gossip's tests assert for its own state machines.",
    ],
    tables: [
      tableOf('Means of all rounds', kinds, [
        ['nodes', ({ count }) => show(count), 'shown'],
        ['senders', ({ limit }) => limit.title, 'shown'],
        ['missed', ({ runs }) => show(runs.sum('missed'))],
        ['last hop: limit', ({ limit }) => `< ${limit.lastHop}`, 'shown'],
        ['ours', ({ runs }) => runs.range('lastHop'), 'shown'],
        ['redundancy: limit', ({ limit }) => `< ${limit.redundancy}`, 'shown'],
        ['ours', ({ runs }) => runs.range('redundancy'), 'shown'],
        [
          'where no link changed',
          ({ how, runs, isSteady }) => (how === 'one' && isSteady ? runs.range('steady') : '–'),
        ],
        ['ms to the last delivery', ({ runs }) => show(runs.mean('last ms'))],
        ['seeds', ({ runs }) => String(runs.size)],
      ]),
    ],
    plots: [],
    after: [],
    verdicts: kinds.flatMap(({ count, how, runs, isSteady, limit }) => {
      const name = `${show(count)} nodes, ${limit.title}`;
      const redundancy = (of: 'mean' | 'most') =>
        below(
          `${name}: redundancy, ${of === 'mean' ? of : 'every seed'}`,
          runs[of]('redundancy'),
          limit.redundancy,
        );
      return [
        atMost(`${name}: missed`, runs.sum('missed'), 0),
        below(`${name}: last hop, every seed`, runs.most('lastHop'), limit.lastHop),
        // With one sender, a seed whose overlay changes in many rounds may exceed this limit. Its
        // rounds without changes show that nothing is wasted, so the limit applies to the mean.
        redundancy(how === 'one' ? 'mean' : 'most'),
        ...(how === 'one' && isSteady
          ? [
              atMost(
                `${name}: redundancy where no link changed, every seed`,
                runs.most('steady'),
                STABLE_REDUNDANCY,
              ),
            ]
          : []),
      ];
    }),
  };
}
