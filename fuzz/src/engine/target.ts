// What is fuzzed: a function of bytes that throws for a defect alone.

import type { Random } from '@trunkline/transport-core';

export interface Target {
  /**
   * Reads one input. What a stranger's bytes may lawfully cause is no throw; a broken promise of
   * the reader is one.
   */
  run(input: Uint8Array): void | Promise<void>;
  /** Inputs to begin with. */
  seeds(): Iterable<Uint8Array>;
  /** A well-formed input, or nearly. */
  make?(random: Random): Uint8Array;
  /** Words that inputs are made of. */
  readonly tokens?: readonly string[];
  /** Bytes that an input has at most. Default 2,048. */
  readonly most?: number;
}
