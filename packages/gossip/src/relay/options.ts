// The options of relaying, with their defaults and limits.

import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
} from '@trunkline/transport-core/backend';

/** The schema of {@link RelayOptions}. */
export const relayOptions = optionsSchema({
  /** Size in bytes above which an encoded message is relayed, 0 to 63 MiB. Default 65,536. */
  above: option.withDefault(option.integer(0, 63 * 1024 * 1024), 64 * 1024),
  /**
   * Number of nodes to which each node sends a relayed message, 1 to 64. Default 3. A message with
   * no more receivers than this is sent directly.
   */
  fanout: option.withDefault(option.integer(1, 64), 3),
  /**
   * Maximum size, in bytes, of all messages of other nodes that are being relayed here; the same
   * limit applies to this node's own. At most 64 messages of each kind are relayed at a time.
   * Messages beyond that are refused, and their origin sends them directly. Default 64 MiB.
   */
  memory: option.withDefault(option.integer(1, 2 ** 40), 64 * 1024 * 1024),
  /**
   * Milliseconds without progress after which a relay counts as stuck, and other nodes take over
   * its part. Default 5,000.
   */
  stall: option.withDefault(option.milliseconds(), 5_000),
});

/** Options for relaying long messages on a full mesh; each option has a default. */
export type RelayOptions = OptionsInput<typeof relayOptions>;

/** The complete options of relaying. */
export type RelayConfig = Options<typeof relayOptions>;
