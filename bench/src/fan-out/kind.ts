// The interface that a way of spreading messages implements to be measured.

import type { Spreader } from '../gossip-processes/kind.ts';

export interface Kind {
  /**
   * Opens a publisher if it dials nobody, otherwise a subscriber, as `gossip-processes/kind.ts`
   * describes.
   */
  open(
    setting: { readonly nodes: number; readonly dials: readonly string[] },
    received: (message: Uint8Array) => void,
  ): Promise<Spreader>;
  /** Publisher and subscribers dial a separate server. */
  readonly throughServer?: boolean;
}
