// HyParView: the shape of the overlay, and failures that neighbors see at once.

import { bookOf, SHARES } from './jobs.ts';
import { FAILURES, GRAPH } from './published.ts';
import type { Sample } from './sample.ts';
import type { Scale } from './scale.ts';
import { atLeast, atMost, below, type Section, show, tableOf, type Verdict } from './section.ts';

/** The headings of the tables of the graph. */
const HEAD = ['', 'paper', 're-simulation, 3 seeds', 'ours', 'Cyclon (paper)', 'Scamp (paper)'];

export function seenSection(all: Sample, scale: Scale): Section {
  const { nodes } = scale;
  const book = bookOf(nodes);
  const at = (share: number, entries = 0) => all.of({ scenario: 'seen', share, book: entries });
  const shape = at(0.95);
  const unpublished = (name: string, ours: string) => [name, '–', '–', ours, '–', '–'];
  const row = (name: string, key: keyof typeof GRAPH, ours: string) => {
    const { paper, replica, cyclon, scamp } = GRAPH[key];
    return [name, paper, replica, ours, cyclon, scamp];
  };
  const failures = [...SHARES.map((share) => [share, 0] as const), [0.95, book] as const].map(
    ([share, entries]) => ({
      name: `${show(share * 100)} %${entries === 0 ? '' : `, address book of ${show(entries)}`}`,
      published: entries === 0 ? FAILURES.get(share)! : { paper: '–', seen: '–' },
      runs: at(share, entries),
    }),
  );
  return {
    title: 'HyParView: the overlay, and failures that are seen at once',
    before: [
      `${show(nodes)} nodes join one after the other, and settle for 50 cycles of HyParView (by default, 60 s each). The settings are those of the paper, which are [our defaults](gossip-explained.md#hyparview). Then a share of the nodes fails. Neighbors of failed nodes see the links close, and have repaired their views before the first of 1,000 messages is sent. In runs with an address book, each book lists ${show(book)} nodes.`,
    ],
    tables: [
      {
        title: `The graph of ${show(nodes)} nodes after 50 cycles, ${shape.size} seeds`,
        head: HEAD,
        shown: [0, 1, 3],
        rows: [
          row('average clustering', 'clustering', shape.range('clustering')),
          row('average shortest path', 'path', shape.range('path')),
          row('longest shortest path', 'longest', shape.span('longest')),
          row('hops to the last delivery of a flood', 'hops', shape.range('hops')),
        ],
      },
      {
        title: 'The views and links of this graph',
        shown: [],
        head: HEAD,
        rows: [
          row('nodes with 5 links that both ends know', 'symmetric', shape.range('symmetric')),
          row(
            'number of passive views that contain a node',
            'known',
            `${show(shape.least('leastKnown'))} to ${show(shape.most('mostKnown'))}, median ${shape.span('medianKnown')}`,
          ),
          unpublished(
            'links that point to a node',
            `${show(shape.least('leastIn'))} to ${show(shape.most('mostIn'))}`,
          ),
          unpublished('parts', shape.span('parts')),
        ],
      },
      tableOf('Reliability after failures that are seen at once', failures, [
        ['failed', ({ name }) => name],
        ['paper', ({ published }) => published.paper],
        ['re-simulation', ({ published }) => published.seen],
        ['ours', ({ runs }) => runs.range('reliability')],
        ['largest part', ({ runs }) => runs.range('largest')],
        ['cycles to 99 %', ({ runs }) => cyclesOf(runs, 'nearly')],
        ['cycles to all', ({ runs }) => cyclesOf(runs, 'whole')],
        ['seeds', ({ runs }) => String(runs.size)],
      ]),
    ],
    plots: [],
    after: [
      `The share of live nodes that a message reaches is ${at(0.8).range('reliability')} after 80 % of the nodes failed, ${at(0.9).range('reliability')} after 90 %, and ${at(0.95).range('reliability')} after 95 % (paper: ${FAILURES.get(0.95)!.paper}). After 95 %, some nodes have only dead nodes in their views. With an address book, the share after 95 % is ${at(0.95, book).range('reliability')}.`,
    ],
    verdicts: verdicts(at, shape, book, nodes),
  };
}

function verdicts(
  at: (share: number, book?: number) => Sample,
  shape: Sample,
  book: number,
  nodes: number,
): Verdict[] {
  const isWhole = nodes >= 10_000;
  const judged = [
    // The clustering of a random graph is degree ÷ nodes, so the limits for 10,000 nodes hold only
    // there.
    below('clustering, every seed', shape.most('clustering'), isWhole ? 0.0015 : 15 / nodes),
    ...(isWhole ? [atLeast('average path, every seed', shape.least('path'), 6.3)] : []),
    atMost('average path, every seed', shape.most('path'), isWhole ? 6.5 : 5.2),
    atLeast('full symmetric views, every seed', shape.least('symmetric'), 0.995),
    ...SHARES.filter((share) => share <= 0.8).map((share) =>
      atLeast(
        `reliability after ${show(share * 100)} % failed, every seed`,
        at(share).least('reliability'),
        0.9999,
      ),
    ),
    atLeast(
      'reliability after 90 % failed, mean',
      at(0.9).mean('reliability'),
      isWhole ? 0.99 : 0.985,
    ),
    atLeast(
      'reliability after 95 % failed, with the address book, mean',
      at(0.95, book).mean('reliability'),
      0.95,
    ),
  ];
  // With 1,000 nodes only fifty survive, too few for a limit.
  if (!isWhole) return judged;
  return [
    ...judged,
    atLeast('reliability after 95 % failed, every seed', at(0.95).least('reliability'), 0.84),
    atLeast('reliability after 95 % failed, mean', at(0.95).mean('reliability'), 0.89),
  ];
}

/** Formats the cycles that a figure took; 'never' if it took more than ten. */
export function cyclesOf(sample: Sample, figure: string): string {
  const told = (value: number) => (value > 10 ? 'never' : String(value));
  if (sample.size === 0) return '–';
  const [least, most] = [told(sample.least(figure)), told(sample.most(figure))];
  return least === most ? least : `${least} to ${most}`;
}
