// What peers are to their user: one peer, what happens to peers, and why one was turned away.

import type { Remote, TransportError } from '@trunkline/transport-core';

/** A node that is connected now, as plain data. */
export interface PeerInfo<S = unknown> {
  /** 64 lower-case hex digits. */
  readonly nodeId: string;
  /** Did the connection prove the id (TLS, noise)? Otherwise the peer asserts it, and the first to assert one keeps it. */
  readonly proven: boolean;
  /** Where it is reached, with its scheme: what was dialled, else what it says of itself; undefined for one that does not listen. */
  readonly addr: string | undefined;
  /** Who dialled the link in use: 'out' is this node. */
  readonly direction: 'in' | 'out';
  /** Milliseconds of the last measured round trip. */
  readonly rtt: number | undefined;
  /** 0 to 100, by Tendermint's trust metric: how often it did what it should, lately and before. */
  readonly score: number;
  /** What it last said of itself with `peers.status.set`. */
  readonly status?: S | undefined;
  /** Is it one of `persistent`? */
  readonly persistent: boolean;
  /** Its transport; new after a restart. */
  readonly instance: string;
  /** The link in use: a target for what is meant for this connection alone. */
  readonly remote: Remote;
}

/**
 * Why a link came to nothing:
 * - denied: its id is banned, on a list of those not wanted, or not on the list of those that are (`membership: 'listed'`)
 * - duplicate: its id is another node's here already
 * - twin: it is an instance of a node that another one had replaced, and came back: two live nodes have one key. It is refused for 30 s,
 *   and told once
 * - filtered: one of `filters`, or the transport's `admit`, refused it, or did not answer in time
 * - incompatible: another network or version, or no peers at the other end
 * - self: it was this node
 * - full: there is no room, here or there
 * - unproven: it did not prove its id, or proved another: its certificate was refused, or this transport proves ids and the connection none
 * - unreachable: nobody answered; the error says more
 * - failed: anything else; the error says it
 */
export type Rejection = 'denied' | 'duplicate' | 'twin' | 'filtered' | 'incompatible' | 'self' | 'full' | 'unproven' | 'unreachable' | 'failed';

/** What happens to peers, in order. */
export type PeerEvent<S = unknown> =
  /** A node is connected. Its `down`, if it was connected before, came earlier. */
  | { readonly type: 'up'; readonly peer: PeerInfo<S> }
  /** Its last link is gone, and why. */
  | { readonly type: 'down'; readonly nodeId: string; readonly addr: string | undefined; readonly cause: TransportError }
  /**
   * A link came to nothing: one that was dialled (`out`), or one that came, whoever it was: also one that spoke another protocol, had the
   * wrong security or certificate, was of another network, or ended before its hello. Without a hello only `endpoint` says who it was.
   */
  | {
      readonly type: 'rejected';
      readonly reason: Rejection;
      readonly direction: 'in' | 'out';
      readonly error: TransportError;
      readonly nodeId?: string | undefined;
      /** What was dialled, or where the other end says that it can be dialled; with its scheme. */
      readonly addr?: string | undefined;
      /** Where a link that came was from, as the transport sees it. */
      readonly endpoint?: string | undefined;
      readonly remote?: Remote | undefined;
    }
  /** A peer's status changed; undefined: it has none any more. */
  | { readonly type: 'status'; readonly nodeId: string; readonly status: S | undefined }
  /** Something is wrong that peers went on without: a broken address book, a status that is none. */
  | { readonly type: 'warning'; readonly error: TransportError }
  /** This reader was too slow, and has missed so many. */
  | { readonly type: 'lagged'; readonly missed: number };
