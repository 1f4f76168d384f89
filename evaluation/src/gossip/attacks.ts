// Attacks on networks of whole nodes.

import { ATTACKS } from './jobs.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, type Section, show, tableOf } from './section.ts';

/** The title of each attack, and the moments at which its traffic is measured. */
const TOLD: Readonly<
  Record<(typeof ATTACKS)[number], { readonly title: string; readonly when: Moments }>
> = {
  sybils: {
    title: 'sybils',
    when: { before: 'before', during: 'as they arrive', after: 'after five minutes' },
  },
  'covert-flash': {
    title: 'covert flash',
    when: {
      before: 'while they behave',
      flash: 'after they stop forwarding',
      after: 'four minutes later',
    },
  },
  'cold-boot': {
    title: 'cold boot',
    when: { early: 'as soon as all have met', after: 'four minutes later' },
  },
  dawn: {
    title: 'attack at dawn',
    when: { early: 'as soon as all have met', after: 'four minutes later' },
  },
};

/** The text for each moment; the key is the first word of the names of its figures. */
type Moments = Readonly<Record<string, string>>;

export function attacksSection(all: Sample, { honest, eclipsed }: Scale): Section {
  const at = (scenario: string) => all.of({ scenario });
  const eclipse = at('eclipse');
  const kept = eclipse.values('least').filter((least) => least >= 1).length;
  const attacks = ATTACKS.map((scenario) => ({
    title: TOLD[scenario].title,
    moments: Object.entries(TOLD[scenario].when),
    runs: at(scenario),
  }));
  return {
    title: 'Attacks on whole nodes',
    before: [
      `${show(honest)} honest nodes with default options and links of 10 to 100 ms meet ${show(4 * honest)} attackers from 20 networks. An attacker is a *sybil*: it accepts every link and message, names only sybils to other nodes, and forwards nothing. The scenarios are named as in gossipsub's evaluation (PL-TechRep-2020-001):\n\n- **sybils**: attackers join an established network.\n- **covert flash**: attackers are there from the beginning, and behave well. After ten minutes, all of them stop forwarding at once.\n- **cold boot**: honest nodes start after the attackers, without address books. At first, they know only five seeds, which are honest.\n- **attack at dawn**: attackers join an established network, and all honest nodes restart at once, with their address books.\n- **eclipse**: sybils concentrate on one node, which restarts.`,
    ],
    tables: [
      tableOf(
        `${show(honest)} honest nodes, ${show(4 * honest)} attackers`,
        attacks.flatMap(({ title, moments, runs }) =>
          moments.map(([key, when], i) => ({ key, when, runs, title: i === 0 ? title : '' })),
        ),
        [
          ['', ({ title }) => title, 'shown'],
          ['when', ({ when }) => when, 'shown'],
          ['delivered', ({ key, runs }) => runs.range(`${key} delivered`), 'shown'],
          ['worst message', ({ key, runs }) => show(runs.least(`${key} least`))],
          ['p50 ms', ({ key, runs }) => show(runs.mean(`${key} p50`))],
          ['p99 ms', ({ key, runs }) => show(runs.mean(`${key} p99`)), 'shown'],
          ['most ms', ({ key, runs }) => show(runs.most(`${key} most`))],
          ['seeds', ({ title, runs }) => (title === '' ? '' : String(runs.size))],
        ],
      ),
      tableOf('Links of the honest in the end', attacks, [
        ['', ({ title }) => title],
        ['to honest nodes', ({ runs }) => runs.range('honest links')],
        ['honest nodes without one', ({ runs }) => runs.span('alone')],
        ['seconds until each honest node had one', ({ runs }) => show(runs.most('met') / 1_000)],
      ]),
      tableOf(
        `Eclipse: ${show(10 * eclipsed)} sybils on one of ${show(eclipsed)} honest nodes`,
        [eclipse],
        [
          ['seeds', ({ size }) => String(size), 'shown'],
          ['kept an honest neighbor all the time', () => String(kept), 'shown'],
          ['honest neighbors, mean', (runs) => runs.range('mean')],
          ['seconds to the first after the restart', (runs) => show(runs.most('back') / 1_000)],
          ['delivered to it', (runs) => runs.range('delivered'), 'shown'],
        ],
      ),
    ],
    plots: [],
    after: [
      'A node opens its own links to peers that it dialed from its address book, and addresses from one IP network fill only a part of the book. So sybils that join late, or while a network restarts, cause no losses. If most nodes are attackers from the beginning, [no node is protected](gossip-explained.md#limits-under-attack).',
    ],
    verdicts: [
      ...attacks.flatMap(({ title, moments, runs }) =>
        moments
          .slice(1)
          .flatMap(([key, when]) => [
            atLeast(`${title}, ${when}: delivered, mean`, runs.mean(`${key} delivered`), 0.99),
            atMost(`${title}, ${when}: p99 in ms, mean`, runs.mean(`${key} p99`), 2_000),
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
