// Ready-made nemeses of the network: partitions of every shape, and links that flap, lose messages,
// hold them back and reset connections. Each defines the faults of a wave of trouble; `nemesisOf`
// decides when waves begin and end, and handles the options that all nemeses share.

import { option } from '@trunkline/transport-core/backend';
import { pick, shuffled } from '../kernel/distributions.ts';
import { CALM as CALM_LINK, type LinkOptions, linkSettings } from '../network/link-settings.ts';
import type { Fault, ScheduledFault } from './fault.ts';
import {
  bridgeBetween,
  oneAlone,
  oneDirection,
  ringOfMajorities,
  type Shape,
  twoSides,
} from './partition-shapes.ts';
import { type NemesisDefinition, nemesisOf, rounded, share, type Wave } from './plan.ts';

/**
 * Default durations, in milliseconds, of a disturbance of the network and of the calm between two
 * disturbances.
 */
const LASTS = [500, 5_000] as const;
const CALM = [500, 4_000] as const;

/** Splits the nodes into two sides of random sizes, drawn again each time. */
export const splitBrain = nemesisOf(partitions('splitBrain', 2, twoSides));

/** Isolates one node from all others: a random one each time, or always `node`. */
export const isolate = nemesisOf<{ readonly node: string | undefined }>({
  name: 'isolate',
  lasts: LASTS,
  calm: CALM,
  own: { node: option.optional(name()) },
  waves: ({ nodes, random, own }) =>
    shaped(nodes, 2, () => oneAlone(nodes, own.node ?? pick(nodes, random))),
});

/**
 * Splits the nodes into two halves joined by a single node, which reaches both halves; the halves
 * never reach each other. Takes at least three nodes.
 */
export const bridge = nemesisOf(partitions('bridge', 3, bridgeBetween));

/**
 * Lets every node reach a majority, but no two nodes reach the same one. Takes at least three
 * nodes.
 */
export const majorityRing = nemesisOf(partitions('majorityRing', 3, ringOfMajorities));

/**
 * Loses everything in one direction: from one node to all others, from all others to one node, or
 * from one node to another.
 */
export const oneWay = nemesisOf(partitions('oneWay', 2, oneDirection));

/**
 * Takes one link down and up in quick succession: the link `between` two given nodes, or one that
 * the seed chooses for the whole plan.
 */
export const flappingLink = nemesisOf<{ readonly between: readonly [string, string] | undefined }>({
  name: 'flappingLink',
  lasts: [50, 1_000],
  calm: [50, 1_000],
  own: {
    between: option.optional(option.reference<readonly [string, string]>(isPair, 'two names')),
  },
  waves({ nodes, random, own }) {
    const [from, to] = own.between ?? shuffled(nodes, random);
    return shaped([from, to], 2, () => [{ do: 'cut', from: from!, to: to! }]);
  },
});

/**
 * Makes some links lose, duplicate, reorder and delay messages, or gives them the settings `link`,
 * until `heal`. Each link is affected with the probability `share`, default 0.5.
 */
export const badLinks = nemesisOf<{
  readonly link: LinkOptions | undefined;
  readonly share: number;
}>({
  name: 'badLinks',
  lasts: LASTS,
  calm: CALM,
  own: {
    link: option.optional(
      option.reference<LinkOptions>(
        (value) => typeof value === 'object' && value !== null,
        'an object of options',
      ),
    ),
    share: option.withDefault(share(), 0.5),
  },
  waves({ nodes, random, own }) {
    if (own.link !== undefined) linkSettings(CALM_LINK, own.link, 'nemeses.badLinks: link');
    return shaped(nodes, 2, () => {
      const link = own.link ?? {
        latency: { exponential: Math.round(100 * random()), least: 1 },
        loss: rounded(0.3 * random()),
        duplicate: rounded(0.1 * random()),
        reorder: rounded(0.3 * random()),
      };
      const links = nodes.flatMap((from, index) =>
        nodes.slice(index + 1).map((to) => ({ from, to })),
      );
      return links
        .filter(() => random() < own.share)
        .map(({ from, to }) => ({ do: 'link', from, to, link }));
    });
  },
});

/**
 * Holds back everything between two nodes, in one direction or both, and then releases it at once:
 * the messages arrive late and together.
 */
export const holds = nemesisOf({
  name: 'holds',
  lasts: LASTS,
  calm: CALM,
  waves({ nodes, random }) {
    if (nodes.length < 2) return undefined;
    return ({ begin, end }) => {
      const [from, to] = shuffled(nodes, random) as [string, string];
      const direction = random() < 0.5 ? 'one-way' : 'both';
      return [
        { at: begin, do: 'hold', from, to, direction },
        { at: end, do: 'release', from, to, direction },
      ];
    };
  },
});

/**
 * Resets the connections between two nodes, as a firewall or a restarted router does. A reset needs
 * no repair, so `lasts` merely adds to `calm`.
 */
export const resets = nemesisOf({
  name: 'resets',
  lasts: 0,
  calm: [200, 4_000],
  waves({ nodes, random }) {
    if (nodes.length < 2) return undefined;
    return ({ begin }) => {
      const [from, to] = shuffled(nodes, random) as [string, string];
      return [{ at: begin, do: 'reset', from, to }];
    };
  },
});

function partitions(name: string, least: number, shape: Shape): NemesisDefinition<object> {
  return {
    name,
    lasts: LASTS,
    calm: CALM,
    waves: ({ nodes, random }) => shaped(nodes, least, () => shape(nodes, random)),
  };
}

/**
 * Returns a wave that begins with these faults and ends with `heal`, or undefined if there are
 * fewer than `least` nodes.
 */
function shaped(
  nodes: readonly (string | undefined)[],
  least: number,
  faults: () => readonly Fault[],
): ((wave: Wave) => ScheduledFault[]) | undefined {
  if (nodes.filter((node) => node !== undefined).length < least) return undefined;
  return ({ begin, end }) => [
    ...faults().map((fault) => ({ at: begin, ...fault })),
    { at: end, do: 'heal' },
  ];
}

function name() {
  return option.reference<string>(
    (value) => typeof value === 'string' && value !== '',
    'the name of a node',
  );
}

function isPair(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((each) => typeof each === 'string' && each !== '') &&
    value[0] !== value[1]
  );
}
