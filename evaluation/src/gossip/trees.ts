// Plumtree in a stable state, and after failures.

import { MENDING_MORE, MENDING_SHARES } from './jobs.ts';
import { BOOTSTRAP, FAILURES, MENDING, STABLE_REDUNDANCY, TREES } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, type Section, show, tableOf, type Verdict } from './section.ts';

const PROTOCOLS = Object.keys(TREES) as (keyof typeof TREES)[];

export function treesSection(all: Sample, { nodes }: Scale): Section {
  const runs = all.of({ scenario: 'stable' });
  const published = (count: number) => (nodes >= 10_000 ? show(count) : '–');
  const rows = PROTOCOLS.map((name) => {
    const [pushed, said] = [runs.mean(`${name} payloads`), runs.mean(`${name} control`)];
    return { name, paper: TREES[name], pushed, said };
  });
  return {
    title: 'Plumtree in stable state',
    before: [
      `${show(nodes)} nodes broadcast on the links of HyParView's views. An *optimized* tree swaps a link if this saves enough hops: at least 3 with one sender, as in the paper, and at least 7, our default, with many senders. *Redundancy* is the number of payloads sent, divided by the number of deliveries, minus 1. The *last hop* is the number of hops to the last delivery.`,
    ],
    tables: [
      tableOf("One broadcast in stable state: the paper's table 1", rows, [
        ['', ({ paper }) => paper.title],
        ['payloads: paper', ({ paper }) => published(paper.payloads)],
        ['ours', ({ pushed }) => whole(pushed)],
        ['control: paper', ({ paper }) => published(paper.control)],
        ['ours', ({ said }) => whole(said)],
        ['total: paper', ({ paper }) => published(paper.payloads + paper.control)],
        ['ours', ({ pushed, said }) => whole(pushed + said)],
      ]),
      tableOf('Redundancy and the last hop', rows, [
        ['', ({ paper }) => paper.title, 'shown'],
        ['redundancy: paper', ({ paper }) => paper.redundancy, 'shown'],
        ['ours', ({ name }) => runs.range(`${name} redundancy`), 'shown'],
        ['last hop: paper', ({ paper }) => paper.lastHop, 'shown'],
        ['ours', ({ name }) => runs.range(`${name} lastHop`), 'shown'],
        ['missed', ({ name }) => show(runs.sum(`${name} missed`))],
      ]),
      tableOf(
        'Redundancy of the first messages of all, one sender',
        ['first', 'second', 'third'].map((when, i) => ({ when, i })),
        [
          ['message', ({ i }) => String(i + 1)],
          ['paper', ({ i }) => BOOTSTRAP[i]!],
          ['ours', ({ when }) => runs.range(`one ${when}`)],
        ],
      ),
    ],
    plots: [],
    after: [
      "With many senders, the paper's tree without optimization grows deep, because 250 cycles change the links at random. Our links stay, so our tree stays shallow.",
    ],
    verdicts: treeVerdicts(runs, nodes),
  };
}

function treeVerdicts(runs: Sample, nodes: number): Verdict[] {
  return [
    ...PROTOCOLS.map((name) =>
      atMost(`${TREES[name].title}: deliveries missed`, runs.sum(`${name} missed`), 0),
    ),
    ...(['redundancy', 'third'] as const).flatMap((figure) =>
      PROTOCOLS.slice(1).map((name) =>
        atMost(
          `${TREES[name].title}: redundancy${figure === 'third' ? ' of the third message' : ''}, every seed`,
          runs.most(`${name} ${figure}`),
          STABLE_REDUNDANCY,
        ),
      ),
    ),
    ...(['one', 'one-optimized'] as const).map((name) =>
      atMost(`${TREES[name].title}: last hop, every seed`, runs.most(`${name} lastHop`), 10),
    ),
    atMost(
      `${TREES['many-optimized'].title}: last hop, mean`,
      runs.mean('many-optimized lastHop'),
      18,
    ),
    ...(nodes >= 10_000
      ? PROTOCOLS.map((name) => {
          const { title, payloads, control } = TREES[name];
          return atMost(
            `${title}: messages in all`,
            runs.mean(`${name} payloads`) + runs.mean(`${name} control`),
            Math.round((payloads + control) * 1.02),
          );
        })
      : []),
  ];
}

export function mendingSection(all: Sample, { nodes }: Scale): Section {
  const at = (share: number, how: string) => all.of({ scenario: 'mending', share, how });
  const one = MENDING_SHARES.map((share) => {
    const [reached, paper] = [FAILURES.get(share)!.first, MENDING.get(share)!];
    return { share, runs: at(share, 'one'), reached, paper };
  });
  const others = (['many', 'keep-alive'] as const).flatMap((how) =>
    MENDING_MORE.map((share) => ({ share, how, runs: at(share, how) })),
  );
  return {
    title: 'Plumtree after failures that nobody sees',
    before: [
      `${show(nodes)} nodes run HyParView's cycles, with Plumtree on its links. After a share of the nodes has failed, one message is sent before any view is repaired, and then one message after each cycle. *Rounds* is the number of cycles after which a message first reaches all nodes.`,
    ],
    tables: [
      tableOf('One sender', one, [
        ['failed', ({ share }) => `${show(share * 100)} %`, 'shown'],
        ['first message: report, fig. 6a', ({ reached }) => reached],
        ['first message, ours', ({ runs }) => runs.range('first'), 'shown'],
        ['by the links left, mean of 1,000 sources', ({ runs }) => runs.range('expected')],
        ['the same message, after one cycle', ({ runs }) => runs.range('healed')],
        ['rounds to all: report, fig. 6b', ({ paper }) => paper.rounds, 'shown'],
        ['rounds, ours', ({ runs }) => runs.span('rounds'), 'shown'],
        ['most redundancy: report', ({ paper }) => paper.redundancy],
        [
          'ours, message 1, 2, 3 after it',
          ({ runs }) => [1, 2, 3].map((i) => show(runs.mean(`redundancy ${i}`))).join(', '),
        ],
        ['last hop: report', ({ paper }) => paper.lastHop],
        ['ours', ({ runs }) => runs.range('hop 1')],
        ['seeds', ({ runs }) => String(runs.size)],
      ]),
      tableOf('Many senders; and one sender, where every link is tested once a cycle', others, [
        [
          'failed',
          ({ share, how }) => `${show(share * 100)} %, ${how === 'many' ? 'many senders' : how}`,
        ],
        ['first message', ({ runs }) => runs.range('first')],
        ['the same message, after one cycle', ({ runs }) => runs.range('healed')],
        ['rounds to all', ({ runs }) => runs.span('rounds')],
        ['redundancy 1', ({ runs }) => runs.range('redundancy 1')],
        ['redundancy 2', ({ runs }) => runs.range('redundancy 2')],
        ['last hop', ({ runs }) => runs.range('hop 1')],
        ['never delivered', ({ runs }) => runs.span('lost')],
      ]),
    ],
    plots: [
      {
        name: 'mending',
        title: `Redundancy after failures, ${show(nodes)} nodes, one sender`,
        x: { label: 'message after the failure', from: 1, to: 3, ticks: [1, 2, 3] },
        y: { label: 'redundancy', from: 0, to: 4, ticks: [0, 1, 2, 3, 4] },
        series: [0.3, 0.5, 0.7, 0.8, 0.9].map((share) => ({
          label: `${show(share * 100)} % failed`,
          points: [1, 2, 3].flatMap((i): (readonly [number, number])[] => {
            const y = at(share, 'one').mean(`redundancy ${i}`);
            return Number.isFinite(y) ? [[i, Math.min(4, y)]] : [];
          }),
        })),
      },
    ],
    after: [
      'The first message reaches only the part of the overlay that contains its sender. New links belong to the tree at first, so a few messages are redundant.',
    ],
    verdicts: [
      ...MENDING_SHARES.map((share) =>
        atMost(
          `rounds until a message reaches all, after ${show(share * 100)} % failed unseen, every seed`,
          at(share, 'one').most('rounds'),
          share <= 0.8 ? 3 : 4,
        ),
      ),
      ...MENDING_MORE.map((share) =>
        atLeast(
          `of the first message after ${show(share * 100)} % failed, delivered after one cycle with keep-alives, every seed`,
          at(share, 'keep-alive').least('healed'),
          1,
        ),
      ),
    ],
  };
}

function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}
