// What overlays carry: a payload and whom it is for; decoded once, encoded once.

import type { Signature } from '../signatures/signature.ts';

/** Whom a message is for: all on the topic, these nodes alone, or all but these. */
export type Audience = 'all' | 'to' | 'except';

export interface Body {
  readonly audience: Audience;
  /** Node ids of `to` and `except`. */
  readonly nodes: readonly string[];
  readonly payload: Uint8Array;
  /** What the codec made of it: set when it has; undefined for what this node published. */
  message: unknown;
  /** The publisher's; it has been verified, and is passed on as it came. Set once, when the body is made. */
  signature?: Signature | undefined;
  /** Of this node's own: who gets it from here is asked to confirm it. */
  readonly receipt?: boolean | undefined;
  /** The frame that was made of it last, and for which hops. */
  frame?: { readonly hops: number; readonly bytes: Uint8Array } | undefined;
}

/** Is it for that node? */
export function isFor({ audience, nodes }: Pick<Body, 'audience' | 'nodes'>, nodeId: string): boolean {
  if (audience === 'all') return true;
  return nodes.includes(nodeId) === (audience === 'to');
}
