// The interface of a fuzz target: a function of bytes that throws only if there is a defect.

import type { Random } from '@trunkline/transport-core';

export interface Target {
  /**
   * Reads one input. Throws only if the reader breaks a promise, not for results that malformed
   * bytes may legally cause.
   */
  run(input: Uint8Array): void | Promise<void>;
  /** Returns the inputs to begin with. */
  seeds(): Iterable<Uint8Array>;
  /** Generates an input that is well-formed, or nearly so. */
  make?(random: Random): Uint8Array;
  /** Words that occur in inputs. */
  readonly tokens?: readonly string[];
  /** The most bytes of an input. Default 2,048. */
  readonly most?: number;
}
