// Plumtree in a stable state, and after failures.

import { MENDING_MORE, MENDING_SHARES } from './jobs.ts';
import { BOOTSTRAP, FAILURES, MENDING, STABLE_REDUNDANCY, TREES } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, type Section, show, type Verdict } from './section.ts';

const PROTOCOLS = Object.keys(TREES) as (keyof typeof TREES)[];

export function treesSection(all: Sample, { nodes }: Scale): Section {
  const runs = all.of({ scenario: 'stable' });
  const isWhole = nodes >= 10_000;
  const published = (count: number) => (isWhole ? show(count) : '–');
  return {
    title: 'Plumtree in stable state',
    before: [
      `${show(nodes)} nodes broadcast on the links of HyParView's views. An *optimized* tree swaps a link if this saves enough hops: at least 3 with one sender, as in the paper, or 7, our default, with many senders. *Redundancy* is the number of payloads sent, divided by the number of deliveries, minus 1. The *last hop* is the number of hops to the last delivery.`,
    ],
    tables: [
      {
        title: "One broadcast in stable state: the paper's table 1",
        shown: [],
        head: ['', 'payloads: paper', 'ours', 'control: paper', 'ours', 'total: paper', 'ours'],
        rows: PROTOCOLS.map((name) => {
          const { title, payloads, control } = TREES[name];
          const [pushed, said] = [runs.mean(`${name} payloads`), runs.mean(`${name} control`)];
          return [
            title,
            published(payloads),
            whole(pushed),
            published(control),
            whole(said),
            published(payloads + control),
            whole(pushed + said),
          ];
        }),
      },
      {
        title: 'Redundancy and the last hop',
        shown: [0, 1, 2, 3, 4],
        head: ['', 'redundancy: paper', 'ours', 'last hop: paper', 'ours', 'missed'],
        rows: PROTOCOLS.map((name) => [
          TREES[name].title,
          TREES[name].redundancy,
          runs.range(`${name} redundancy`),
          TREES[name].lastHop,
          runs.range(`${name} lastHop`),
          show(runs.sum(`${name} missed`)),
        ]),
      },
      {
        title: 'Redundancy of the first messages of all, one sender',
        shown: [],
        head: ['message', 'paper', 'ours'],
        rows: ['first', 'second', 'third'].map((when, i) => [
          String(i + 1),
          BOOTSTRAP[i]!,
          runs.range(`one ${when}`),
        ]),
      },
    ],
    plots: [],
    after: [
      "With many senders, the paper's tree without optimization grows deep, because 250 cycles change the links at random. Our links stay, so our tree stays shallow.",
    ],
    verdicts: treeVerdicts(runs, nodes),
  };
}

function treeVerdicts(runs: Sample, nodes: number): Verdict[] {
  const isWhole = nodes >= 10_000;
  return [
    ...PROTOCOLS.map((name) =>
      atMost(`${TREES[name].title}: deliveries missed`, runs.sum(`${name} missed`), 0),
    ),
    ...PROTOCOLS.slice(1).map((name) =>
      atMost(
        `${TREES[name].title}: redundancy, every seed`,
        runs.most(`${name} redundancy`),
        STABLE_REDUNDANCY,
      ),
    ),
    ...PROTOCOLS.slice(1).map((name) =>
      atMost(
        `${TREES[name].title}: redundancy of the third message, every seed`,
        runs.most(`${name} third`),
        STABLE_REDUNDANCY,
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
    ...(isWhole
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
  const more = (how: string, name: string) =>
    MENDING_MORE.map((share) => {
      const runs = at(share, how);
      return [
        `${show(share * 100)} %, ${name}`,
        runs.range('first'),
        runs.range('healed'),
        runs.span('rounds'),
        runs.range('redundancy 1'),
        runs.range('redundancy 2'),
        runs.range('hop 1'),
        runs.span('lost'),
      ];
    });
  return {
    title: 'Plumtree after failures that nobody sees',
    before: [
      `${show(nodes)} nodes run HyParView's cycles, with Plumtree on its links. After a share of the nodes has failed, one message is sent before any view is repaired, and then one message after each cycle.`,
    ],
    tables: [
      {
        title: 'One sender',
        head: [
          'failed',
          'first message: report, fig. 6a',
          'first message, ours',
          'by the links left, mean of 1,000 sources',
          'the same message, after one cycle',
          'rounds to all: report, fig. 6b',
          'rounds, ours',
          'most redundancy: report',
          'ours, message 1, 2, 3 after it',
          'last hop: report',
          'ours',
          'seeds',
        ],
        shown: [0, 2, 5, 6],
        rows: MENDING_SHARES.map((share) => {
          const runs = at(share, 'one');
          const { rounds, redundancy, lastHop } = MENDING[String(share)]!;
          return [
            `${show(share * 100)} %`,
            FAILURES[String(share)]!.first,
            runs.range('first'),
            runs.range('expected'),
            runs.range('healed'),
            rounds,
            runs.span('rounds'),
            redundancy,
            [1, 2, 3].map((i) => show(runs.mean(`redundancy ${i}`))).join(', '),
            lastHop,
            runs.range('hop 1'),
            String(runs.size),
          ];
        }),
      },
      {
        title: 'Many senders; and one sender, where every link is tested once a cycle',
        head: [
          'failed',
          'first message',
          'the same message, after one cycle',
          'rounds to all',
          'redundancy 1',
          'redundancy 2',
          'last hop',
          'never delivered',
        ],
        shown: [],
        rows: [...more('many', 'many senders'), ...more('keep-alive', 'keep-alive')],
      },
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
      ...MENDING_SHARES.filter((share) => share <= 0.8).map((share) =>
        atMost(
          `rounds until a message reaches all, after ${show(share * 100)} % failed unseen, every seed`,
          at(share, 'one').most('rounds'),
          3,
        ),
      ),
      atMost(
        'rounds until a message reaches all, after 90 % failed unseen, every seed',
        at(0.9, 'one').most('rounds'),
        4,
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
