// The options of discovery, with their defaults.

import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';

const schema = optionsSchema({
  /**
   * Maximum number of steps that run concurrently, 0 to 16. With 0, this node doesn't search for
   * other nodes but answers nodes that search. Default 2 (p2panda).
   */
  walkers: option.withDefault(option.integer(0, 16), 2),
  /** The longest pause between two steps of a walker, in milliseconds. Default 30,000 (p2panda). */
  slowest: option.withDefault(option.milliseconds(), 30_000),
});

/** Options for finding other nodes of a topic. */
export type DiscoveryOptions = OptionsInput<typeof schema>;

/** The parsed options, with defaults; undefined if discovery is off. */
export type DiscoveryConfig = Options<typeof schema> | undefined;

/** Parses the options. Throws a TypeError that names the wrong option. */
export function discoveryConfig(options: DiscoveryOptions | false = {}): DiscoveryConfig {
  return options === false ? undefined : parseOptions(schema, options, 'createGossip: discovery');
}
