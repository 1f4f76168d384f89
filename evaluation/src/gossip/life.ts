// The sections on churn in cycles and on swarms of whole nodes.

import { SENDERS } from './jobs.ts';
import { STABLE_REDUNDANCY, SWARM } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atMost, below, type Section, show } from './section.ts';

export function churnSection(all: Sample, { nodes, fewNodes }: Scale): Section {
  const sizes = [...new Set([fewNodes, nodes])];
  const at = (count: number) => all.of({ scenario: 'churn', nodes: count });
  return {
    title: 'Churn',
    before: [
      'In each cycle of a minute, 50 nodes fail, half of them unnoticed, and 50 nodes join, while messages are in flight. Only deliveries to nodes that live through the cycle are counted.',
    ],
    tables: [
      {
        title: '50 nodes fail and 50 join in each of 100 cycles',
        head: [
          'nodes',
          'paper, 50 out',
          'delivered, ours',
          'missed',
          'least reached before any view was mended',
          'redundancy',
          'parts in the end',
          'seeds',
        ],
        shown: [0, 1, 2, 3, 5],
        rows: sizes.map((count) => {
          const runs = at(count);
          return [
            show(count),
            count === 10_000 ? '100 %' : '–',
            show(runs.sum('deliveries')),
            show(runs.sum('missed')),
            show(runs.least('at once')),
            runs.range('redundancy'),
            runs.span('parts'),
            String(runs.size),
          ];
        }),
      },
    ],
    plots: [],
    after: [],
    verdicts: sizes.map((count) =>
      atMost(`deliveries missed, ${show(count)} nodes`, at(count).sum('missed'), 0),
    ),
  };
}

export function swarmSection(all: Sample, { swarms }: Scale): Section {
  const at = (count: number, how: string) => all.of({ scenario: 'swarm', nodes: count, how });
  return {
    title: "Whole nodes: iroh-gossip's limits",
    before: [
      "Each node runs codecs, peers, and gossip with default options on a simulated transport. Each link takes 10 to 100 ms one way, and all nodes know one bootstrap node. The limits are those that iroh-gossip's tests assert for its own state machines.",
    ],
    tables: [
      {
        title: 'Means of all rounds',
        head: [
          'nodes',
          'senders',
          'missed',
          'last hop: limit',
          'ours',
          'redundancy: limit',
          'ours',
          'where no link changed',
          'ms to the last delivery',
          'seeds',
        ],
        shown: [0, 1, 3, 4, 5, 6],
        rows: swarms.flatMap((count) =>
          SENDERS.map((how) => {
            const runs = at(count, how);
            const { title, lastHop, redundancy } = SWARM[how];
            return [
              show(count),
              title,
              show(runs.sum('missed')),
              `< ${lastHop}`,
              runs.range('lastHop'),
              `< ${redundancy}`,
              runs.range('redundancy'),
              how === 'one' && runs.sum('steady rounds') > 0 ? runs.range('steady') : '–',
              show(runs.mean('last ms')),
              String(runs.size),
            ];
          }),
        ),
      },
    ],
    plots: [],
    after: [],
    verdicts: swarms.flatMap((count) =>
      SENDERS.flatMap((how) => {
        const runs = at(count, how);
        const name = `${show(count)} nodes, ${SWARM[how].title}`;
        return [
          atMost(`${name}: missed`, runs.sum('missed'), 0),
          below(`${name}: last hop, every seed`, runs.most('lastHop'), SWARM[how].lastHop),
          ...(how === 'one'
            ? [
                // A seed whose overlay changes in many rounds exceeds this limit without waste, as
                // its rounds without changes show; so the limit is on the mean.
                below(`${name}: redundancy, mean`, runs.mean('redundancy'), SWARM.one.redundancy),
                ...(runs.sum('steady rounds') > 0
                  ? [
                      atMost(
                        `${name}: redundancy where no link changed, every seed`,
                        runs.most('steady'),
                        STABLE_REDUNDANCY,
                      ),
                    ]
                  : []),
              ]
            : [
                below(
                  `${name}: redundancy, every seed`,
                  runs.most('redundancy'),
                  SWARM[how].redundancy,
                ),
              ]),
        ];
      }),
    ),
  };
}
