// The options of relaying, their defaults, and what they are checked against.

import { integer, milliseconds, type Options, type OptionsInput, optionsSchema, withDefault } from '@trunkline/transport-core';

export const relayOptions = optionsSchema({
  /** Bytes of an encoded message, 0 to 63 MiB: longer ones are relayed. Default 65,536. */
  above: withDefault(integer(0, 63 * 1024 * 1024), 64 * 1024),
  /** Nodes that each node sends such a message to, 1 to 64. Default 3. To so few recipients it goes directly. */
  fanout: withDefault(integer(1, 64), 3),
  /**
   * Bytes of the messages of others that are being relayed here at most, and as many of this node's own; 64 messages of either. What is more is
   * refused, and its origin sends it directly. Default 64 MiB.
   */
  memory: withDefault(integer(1, 2 ** 40), 64 * 1024 * 1024),
  /** Milliseconds without progress after which a relay is taken for stuck, and others do its part. Default 5,000. */
  stall: withDefault(milliseconds(), 5_000),
});

/** How long messages are relayed on a full mesh; each member has a default. */
export type RelayOptions = OptionsInput<typeof relayOptions>;

/** Complete. */
export type RelayConfig = Options<typeof relayOptions>;
