// The options of discovery.

import { integer, milliseconds, type Options, type OptionsInput, optionsSchema, parseOptions, withDefault } from '@trunkline/transport-core';

const schema = optionsSchema({
  /** Steps that are under way at once, 0 to 16; 0: this node looks for nobody, but answers. Default 2 (p2panda). */
  walkers: withDefault(integer(0, 16), 2),
  /** The longest pause between two steps of a walker, in milliseconds. Default 30,000 (p2panda). */
  slowest: withDefault(milliseconds(), 30_000),
});

/** How other nodes of a topic are looked for. */
export type DiscoveryOptions = OptionsInput<typeof schema>;

/** The options, complete; undefined: there is no discovery. */
export type DiscoveryConfig = Options<typeof schema> | undefined;

/** Throws a TypeError that names the option. */
export function discoveryConfig(options: DiscoveryOptions | false = {}): DiscoveryConfig {
  return options === false ? undefined : parseOptions(schema, options, 'createGossip: discovery');
}
