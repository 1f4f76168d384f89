// The interface of a part of a node, such as administration. `createNode` of the package trunkline
// takes parts as values, and starts and closes them.

import type { Observer } from '../observer.ts';
import type { AnyTransport } from './types.ts';

/**
 * A part of a node: it adds protocols to the node's transport, or only observes it. All members
 * except `name` may be left out. `N` is the shape of the node that it needs.
 */
export interface NodePart<
  N extends { readonly transport: AnyTransport } = { readonly transport: AnyTransport },
> {
  /** The name of the part in errors: 'admin'. */
  readonly name: string;
  /** Observes the node's transport, beside the observers of the other parts. */
  readonly observer?: Observer | undefined;
  /**
   * Starts the part. It is called once, before the node listens, so the part can mount its
   * protocols. The node waits for a returned promise. If it throws or rejects, the node does not
   * start, and `close` is not called.
   */
  start?(node: N): unknown;
  /**
   * Releases everything that the part has opened, while the node's transport is still open. It is
   * called once if `start` has succeeded, and the node waits for a returned promise.
   */
  close?(): unknown;
}
