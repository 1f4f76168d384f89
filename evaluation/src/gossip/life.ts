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
      'In each of 100 cycles 50 nodes fail, half of them unnoticed, and 50 new nodes join, each through any live node. One message has traveled five hops when the failures happen, one is sent right after them, and one after the nodes that noticed the failures have repaired their views; a cycle takes a minute. Only deliveries to nodes that were alive from the time of sending to the end of the cycle are counted.',
    ],
    tables: [
      {
        title: '50 out and 50 in, in each of 100 cycles',
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
    after: [
      'Redundancy comes from new links, which belong to the tree until they deliver a duplicate, and from new nodes, which receive the messages that are still in the caches.',
    ],
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
      'These runs contain everything: simulated transports, codecs, peers that find each other by exchange, and gossip with its default options. Each link has its own latency, 10 to 100 ms one way; all nodes know one bootstrap node. A round is 5 s. Figures are means over all rounds, including the first; the figures in brackets are those of the best and the worst seed.',
      'The first message is a flood: over some 50 links between 20 nodes, it alone contributes 0.11 to the mean. The rest comes from replacement links, which belong to the tree until they deliver a duplicate; their number depends on the seed. So the limit for the redundancy of one sender applies to the mean of the seeds. Rounds in which no link has changed since the previous message have a separate limit, which every seed must keep; a network in which some link changes in each round has no such rounds.',
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
    after: [
      'The limits are those that iroh-gossip asserts for its own state machines in its simulator, where a bootstrap node introduces all nodes and codecs and connections are omitted.',
    ],
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
