// What a Plumtree machine is made of, takes and shows.

import type { MessageId } from '../messages/message-id.ts';
import type { PlumtreeHost } from './host.ts';
import type { NeighbourAccount } from './neighbour.ts';
import type { PlumtreeOptions } from './options.ts';

export interface PlumtreeInit<P> {
  /** The node id of this node. */
  readonly self: string;
  readonly host: PlumtreeHost<P>;
  /** From `plumtreeOptions`; the defaults where absent. */
  readonly options?: PlumtreeOptions | undefined;
  /** Of a payload, to notice a second content under an id (`contentDigest`). Absent: that isn't looked for, as where ids are signed. It must not throw. */
  readonly digest?: ((payload: P) => number) | undefined;
  /** Is a payload signed, and its signature true? Absent: none is. It must not throw. */
  readonly isSigned?: ((payload: P) => boolean) | undefined;
  /**
   * Returns the last life that an unsigned message is believed to be of. Absent: there is no bound.
   */
  readonly latest?: (() => number) | undefined;
}

/** A message to publish. */
export interface Publication<P> {
  /** From this node's IdSource. */
  readonly id: MessageId;
  readonly payload: P;
  /** Bytes of the payload. */
  readonly size: number;
}

export interface PlumtreeSnapshot {
  readonly neighbours: readonly ({ readonly id: string; readonly eager: boolean; readonly blocked: boolean } & Readonly<NeighbourAccount>)[];
  readonly cached: { readonly messages: number; readonly bytes: number };
  readonly missing: number;
  readonly promises: number;
  readonly origins: number;
  readonly digests: number;
  readonly gaps: number;
}
