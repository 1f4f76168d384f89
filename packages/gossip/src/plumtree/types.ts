// The types that a Plumtree machine is constructed with, takes and shows.

import type { MessageId } from '../messages/message-id.ts';
import type { PlumtreeHost } from './host.ts';
import type { NeighborAccount } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';

/** The arguments of a Plumtree machine. */
export interface PlumtreeInit<P> {
  /** The node id of this node. */
  readonly self: string;
  readonly host: PlumtreeHost<P>;
  /** From `plumtreeOptions`; defaults if absent. */
  readonly options?: PlumtreeOptions | undefined;
  /**
   * Returns a digest of a payload (`contentDigest`), to detect a second content under an id. If
   * absent, that is not detected, as it need not be if ids are signed. It must not throw.
   */
  readonly digest?: ((payload: P) => number) | undefined;
  /**
   * Returns true if a payload is signed and its signature has been verified. If absent, no payload
   * is. It must not throw.
   */
  readonly isSigned?: ((payload: P) => boolean) | undefined;
  /**
   * Returns the last life that an unsigned message may claim to be of. If absent, there is no
   * bound.
   */
  readonly latest?: (() => number) | undefined;
}

/** A message to publish. */
export interface Publication<P> {
  /** An id from this node's IdSource. */
  readonly id: MessageId;
  readonly payload: P;
  /** Bytes of the payload. */
  readonly size: number;
}

/** The state of a Plumtree machine, as plain data. */
export interface PlumtreeSnapshot {
  readonly neighbors: readonly ({
    readonly id: string;
    readonly eager: boolean;
    readonly blocked: boolean;
  } & Readonly<NeighborAccount>)[];
  readonly cached: { readonly messages: number; readonly bytes: number };
  readonly missing: number;
  readonly pendingGrafts: number;
  readonly origins: number;
  readonly digests: number;
  readonly gaps: number;
}
