// Attacks on networks of whole nodes.

import { ATTACKS } from './jobs.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, type Section, show } from './section.ts';

/** The title of each attack, and the moments at which its traffic is measured. */
const TOLD: Readonly<
  Record<
    (typeof ATTACKS)[number],
    { readonly title: string; readonly when: readonly (readonly [key: string, told: string])[] }
  >
> = {
  sybils: {
    title: 'sybils',
    when: [
      ['before', 'before'],
      ['during', 'as they arrive'],
      ['after', 'after five minutes'],
    ],
  },
  'covert-flash': {
    title: 'covert flash',
    when: [
      ['before', 'while they behave'],
      ['flash', 'from the moment they turn'],
      ['after', 'four minutes later'],
    ],
  },
  'cold-boot': {
    title: 'cold boot',
    when: [
      ['early', 'as soon as all have met'],
      ['after', 'four minutes later'],
    ],
  },
  dawn: {
    title: 'attack at dawn',
    when: [
      ['early', 'as soon as all have met'],
      ['after', 'four minutes later'],
    ],
  },
};

export function attacksSection(all: Sample, { honest, eclipsed }: Scale): Section {
  const at = (scenario: string) => all.of({ scenario });
  const eclipse = at('eclipse');
  const kept = eclipse.values('least').filter((least) => least >= 1).length;
  return {
    title: 'Attacks on whole nodes',
    before: [
      `Through whole simulated transports, at the level of messages: ${show(honest)} honest nodes with default options, whose links take 10 to 100 ms, and ${show(4 * honest)} attackers of 20 networks, each with 20 peers that it dialed itself. A sybil asks every node that it is connected to for links every 2 s, accepts every link, sends only sybils in its shuffles, accepts every message and forwards none. Neither its signature nor its address nor its behavior reveals it before it stops forwarding.`,
      `**Sybils**: the attackers join an established network. **Covert flash**: the attackers take part from the beginning and behave correctly for ten minutes; then all of them stop forwarding messages and sending notices at the same moment. **Cold boot**: the sybils are present first; then all honest nodes start at once, knowing five of the sybils and nothing else. **Attack at dawn**: after the sybils have joined, all nodes of an established network restart at once with their address books. **Eclipse**: ${show(10 * eclipsed)} sybils concentrate on one of ${show(eclipsed)} honest nodes alone, which restarts two minutes later; does it find an honest neighbor again, and keep one?`,
    ],
    tables: [
      {
        title: `${show(honest)} honest nodes, ${show(4 * honest)} attackers: share of honest messages that reach honest nodes`,
        head: ['', 'when', 'delivered', 'worst message', 'p50 ms', 'p99 ms', 'most ms', 'seeds'],
        rows: ATTACKS.flatMap((scenario) =>
          TOLD[scenario].when.map(([key, told], i) => {
            const runs = at(scenario);
            return [
              i === 0 ? TOLD[scenario].title : '',
              told,
              runs.range(`${key} delivered`),
              show(runs.least(`${key} least`)),
              show(runs.mean(`${key} p50`)),
              show(runs.mean(`${key} p99`)),
              show(runs.most(`${key} most`)),
              i === 0 ? String(runs.size) : '',
            ];
          }),
        ),
      },
      {
        title: 'Links of the honest in the end',
        head: [
          '',
          'to honest nodes',
          'honest nodes without one',
          'seconds until each honest node had one',
        ],
        rows: ATTACKS.map((scenario) => [
          TOLD[scenario].title,
          at(scenario).range('honest links'),
          at(scenario).span('alone'),
          show(at(scenario).most('met') / 1_000),
        ]),
      },
      {
        title: `Eclipse: ${show(10 * eclipsed)} sybils on one of ${show(eclipsed)} honest nodes`,
        head: [
          'seeds',
          'kept an honest neighbor all the time',
          'honest neighbors, mean',
          'seconds to the first after the restart',
          'delivered to it',
        ],
        rows: [
          [
            String(eclipse.size),
            String(kept),
            eclipse.range('mean'),
            show(eclipse.most('back') / 1_000),
            eclipse.range('delivered'),
          ],
        ],
      },
    ],
    plots: [],
    after: [
      "An established network is protected by the choices of its nodes: a node opens its own links to peers that it dialed from its address book. A stranger does not get into this set by connecting, and the addresses of one attacker's network can fill only a part of the book. So sybils that join late, or at dawn, get only the other links and change nothing.",
      'No node is protected in a network in which the attackers were present from the beginning, or before all others: then four of five nodes that a node can choose are attackers. Once these stop forwarding, the honest nodes are connected by one link each on average, which is too few. A neighbor that accepts messages and gives no sign of life, even when asked for one, is replaced by a chosen node. A node that answers but forwards nothing, as sleepers do, cannot be distinguished from a leaf. The operator of a network of strangers should give its nodes `persistent` peers, or a validator and an `addressBook` of trusted nodes.',
    ],
    verdicts: [
      ...ATTACKS.flatMap((scenario) =>
        TOLD[scenario].when
          .slice(1)
          .flatMap(([key, told]) => [
            atLeast(
              `${TOLD[scenario].title}, ${told}: delivered, mean`,
              at(scenario).mean(`${key} delivered`),
              0.99,
            ),
            atMost(
              `${TOLD[scenario].title}, ${told}: p99 in ms, mean`,
              at(scenario).mean(`${key} p99`),
              2_000,
            ),
          ]),
      ),
      ...(['cold-boot', 'dawn'] as const).map((scenario) =>
        atLeast(
          `${TOLD[scenario].title}, as soon as all have met: delivered, mean`,
          at(scenario).mean('early delivered'),
          0.99,
        ),
      ),
      atLeast(
        'eclipse: share of the seeds in which the target kept an honest neighbor',
        kept / eclipse.size,
        0.999,
      ),
      atLeast('eclipse: delivered to the target, mean', eclipse.mean('delivered'), 0.99),
    ],
  };
}
