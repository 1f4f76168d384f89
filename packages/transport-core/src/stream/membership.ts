// Who knows the nodes behind a transport's connections: at most one a transport, `@trunkline/peers` as a rule.

import { isNodeId } from '../address.ts';
import type { TransportError } from '../errors.ts';
import type { Remote } from '../remote.ts';

/** A connection whose hello was read, and that is not up yet. */
export interface Applicant {
  readonly remote: Remote;
  /** The node id that its hello asserts; '' where it asserts none. Where the layer proved one, they are the same. */
  readonly claim: string;
  /** The protocols that its hello lists: what tells a node that runs peers from a client. */
  readonly protocols: readonly { readonly name: string }[];
  /** What was dialled, as written; undefined where it was accepted. */
  readonly target: string | undefined;
  /** The features that its hello names. */
  readonly features: readonly string[];
  /** The features that this end's answer names: `admit` may set them where the connection was accepted. */
  answer: readonly string[];
}

/** What a transport asks and tells of its connections. All but `admit` and `reach` answer at once, and none throws. */
export interface Membership {
  /** This node's id, told in every hello from now on. */
  readonly nodeId: string;
  /**
   * Is the id also told on connections whose other end proves none? Default true. False makes this end a client there: its hello
   * tells no id.
   */
  readonly asserts?: boolean | undefined;
  /** Asked when the user's `admit` has agreed, and like it: it throws, now or later, to refuse, and both ends see why. */
  admit(applicant: Applicant): unknown;
  /** A connection is up; `admit` agreed to it, or it is older than the membership. */
  up(remote: Remote): void;
  /** The other end of a connection that is up has mounted or unmounted protocols: this is its list now. */
  remounted?(remote: Remote, protocols: Applicant['protocols']): void;
  /** A connection that `admit` was asked about is over, whether it was up or not. */
  down(remote: Remote, cause: TransportError): void;
  /**
   * An accepted connection came to nothing, and why: refused by either end or by the layer below, or ended before it was up. `remote`
   * is there if its hello was read; `down` follows then.
   */
  turnedAway?(endpoint: string, error: TransportError, remote: Remote | undefined): void;
  /** The live connections of a node, the one to be used first. */
  links(nodeId: string): readonly Remote[];
  /** A connection to a node, dialled where there is none. Rejects with a TransportError, or with the signal's reason. */
  reach(nodeId: string, signal: AbortSignal): Promise<Remote>;
  /**
   * Looks at a request before it is decoded: what it returns ends the connection, and no handler sees the request. Left out: none is
   * looked at. `bytes` belong to the request.
   */
  readonly screen?: ((remote: Remote, protocol: string, method: string, bytes: Uint8Array) => TransportError | undefined) | undefined;
  /** The transport closes. */
  closed(): void;
}

/** The node id of a target `node:<id>`, or of a bare id; undefined for any other. (`node:7000` is a host's name and its port.) */
export function nodeOf(target: string): string | undefined {
  if (target.length === 64) return isNodeId(target) ? target : undefined;
  if (target.length !== 69 || !target.startsWith('node:')) return undefined;
  const id = target.slice(5);
  return isNodeId(id) ? id : undefined;
}
