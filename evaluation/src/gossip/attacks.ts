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
      ['flash', 'after they stop forwarding'],
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
      `${show(honest)} honest nodes with default options and links of 10 to 100 ms meet ${show(4 * honest)} attackers from 20 networks. An attacker is a *sybil*: it accepts every link and message, names only sybils to other nodes, and forwards nothing. The scenarios are named as in gossipsub's evaluation (PL-TechRep-2020-001):\n\n- **sybils**: attackers join an established network.\n- **covert flash**: attackers are there from the beginning, and behave well. After ten minutes, all of them stop forwarding at once.\n- **cold boot**: honest nodes start after the attackers, and know only five of them.\n- **attack at dawn**: attackers join an established network, and all honest nodes restart at once, with their address books.\n- **eclipse**: sybils concentrate on one node, which restarts.`,
    ],
    tables: [
      {
        title: `${show(honest)} honest nodes, ${show(4 * honest)} attackers`,
        head: ['', 'when', 'delivered', 'worst message', 'p50 ms', 'p99 ms', 'most ms', 'seeds'],
        shown: [0, 1, 2, 5],
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
        shown: [],
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
        shown: [0, 1, 4],
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
      'A node opens its own links to peers that it dialed from its address book, and addresses from one IP network fill only a part of the book. So sybils that join late, or while a network restarts, cause no losses. If most nodes were attackers from the beginning, no node is protected, because a node that answers but forwards nothing cannot be distinguished from a leaf of the tree. [How gossip works](gossip-explained.md#limits-under-attack) lists remedies.',
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
