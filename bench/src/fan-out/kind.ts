// What a way of spreading messages must show to be measured.

import type { Spreader } from '../gossip-processes/kind.ts';

export interface Kind {
  /** A publisher where it dials nobody, else a subscriber. As `gossip-processes/kind.ts` has it. */
  open(setting: { readonly nodes: number; readonly dials: readonly string[] }, received: (message: Uint8Array) => void): Promise<Spreader>;
  /** Publisher and subscribers dial a server that stands beside them. */
  readonly throughServer?: boolean;
}
