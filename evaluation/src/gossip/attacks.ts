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
      ['during', 'as they come'],
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
      `Through whole simulated transports, at the level of messages: ${show(honest)} honest nodes with default options, whose links take 10 to 100 ms, and ${show(4 * honest)} attackers of 20 networks, each with 20 peers of its own asking. A sybil presses every node it is connected to for links every 2 s, gives a link to all who ask, tells of sybils alone in its shuffles, takes every message and passes none on. Nobody's signature, address or behavior gives it away before it is silent.`,
      `**Sybils**: they come to a network that stands. **Covert flash**: they are there from the beginning and do all as they should for ten minutes; then all of them pass nothing on and give notice of nothing, at once. **Cold boot**: the sybils are there first, then all honest nodes start at once and know five of them, without history. **Attack at dawn**: a network that stood is restarted at once, address books kept, after the sybils have come. **Eclipse**: ${show(10 * eclipsed)} sybils press one of ${show(eclipsed)} honest nodes alone, which is restarted two minutes later; does it find an honest neighbor again, and keep one?`,
    ],
    tables: [
      {
        title: `${show(honest)} honest nodes, ${show(4 * honest)} attackers: what of honest messages reaches the honest`,
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
      "A network that stands is protected by the choices of its nodes: links of a node's own go to peers that it dialed from its address book, which no stranger is by coming, and which one network of an attacker can fill to a part only. So sybils that come late, or at dawn, get the other links and change nothing.",
      'Nobody is protected in a network in which the attackers were from the beginning, or before all others: then four of five whom a node can choose are attackers, and once they pass nothing on, the honest hang together by one link each on average, which is too few. A neighbor that takes messages and gives no sign, not even when it is asked for one, loses its place to a node that was chosen; a node that answers, as sleepers do, and passes nothing on cannot be told from a leaf. An operator of a network of strangers gives its nodes `persistent` peers, or a validator and an `addressBook` of nodes that it trusts.',
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
