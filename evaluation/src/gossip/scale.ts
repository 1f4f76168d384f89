// The size of an evaluation: that of the papers, or a reduced one.

export interface Scale {
  /** Nodes of the papers' networks. */
  readonly nodes: number;
  /** Nodes of the smaller network in the churn section. */
  readonly fewNodes: number;
  /** Sizes of the networks of whole nodes, after iroh-gossip. */
  readonly swarms: readonly number[];
  /** Honest nodes under attack, and under an eclipse. */
  readonly honest: number;
  readonly eclipsed: number;
  /** Seeds at 95 % failures. */
  readonly seeds: readonly number[];
  /** Seeds of everything else at the papers' size, of the swarms, and of the attacks. */
  readonly few: readonly number[];
  readonly swarmSeeds: readonly number[];
  readonly attackSeeds: readonly number[];
  /** Seeds of the eclipse. */
  readonly eclipseSeeds: readonly number[];
}

export interface ScaleOptions {
  readonly nodes: number;
  readonly seeds: number;
  /** Tells whether the network of a thousand whole nodes is measured too. */
  readonly large: boolean;
}

/**
 * Returns the sizes. All `seeds` are used at failures of 95 %, whose results vary between seeds; a
 * quarter for the eclipse, a tenth for swarms, a twentieth for everything else.
 */
export function scaleOf({ nodes, seeds, large }: ScaleOptions): Scale {
  return {
    nodes,
    fewNodes: Math.min(nodes, 1_000),
    swarms: large ? [20, 100, 1_000] : [20, 100],
    honest: 100,
    eclipsed: 20,
    seeds: from1(seeds),
    few: from1(Math.ceil(seeds / 20)),
    swarmSeeds: from1(Math.ceil(seeds / 10)),
    attackSeeds: from1(Math.ceil(seeds / 20)),
    eclipseSeeds: from1(Math.ceil(seeds / 4)),
  };
}

function from1(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
