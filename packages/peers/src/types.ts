// The public types of peers: a connected peer, the events of peers, and the reasons of a rejection.

import type { Remote, TransportError } from '@trunkline/transport-core';

/** A node that is connected now, as plain data. */
export interface PeerInfo<S = unknown> {
  /** 64 lower-case hex digits. */
  readonly nodeId: string;
  /**
   * True if the connection proved the id (TLS, Noise). Otherwise the peer only asserts the id, and
   * the first peer that asserts an id keeps it.
   */
  readonly proven: boolean;
  /**
   * The address at which the peer can be reached, with its scheme: the dialed address, otherwise
   * the address that the peer advertises, otherwise that in the address book. Undefined if none of
   * them is known, for example because the peer does not listen.
   */
  readonly addr: string | undefined;
  /** The end that dialed the connection in use; 'out' is this node. */
  readonly direction: 'in' | 'out';
  /** The last measured round-trip time, in milliseconds. */
  readonly rtt: number | undefined;
  /**
   * A value of 0 to 100, which Tendermint's trust metric computes from the peer's recent and
   * earlier behavior.
   */
  readonly score: number;
  /** The status that the peer last published with `peers.status.set`. */
  readonly status?: S | undefined;
  /** True if it is one of the `persistent` peers. */
  readonly persistent: boolean;
  /** Identifies the peer's transport; changes when the peer restarts. */
  readonly instance: string;
  /** The connection in use. Use it as the target of a call to send over exactly this connection. */
  readonly remote: Remote;
}

/**
 * The reason for which a connection did not become a peer's:
 * - denied: the id is banned, is on a list of unwanted nodes, or is not listed although
 *   `membership` is 'listed'
 * - duplicate: another node with this id is connected already
 * - twin: an instance came back after another instance of the same node had replaced it, so two
 *   live nodes share one key. The instance is refused for 30 s and reported once
 * - filtered: one of `filters` or the transport's `admit` refused the node, or did not answer in
 *   time
 * - incompatible: the other end belongs to another network, has another version, or runs no peers
 * - self: this node dialed itself
 * - full: one of the two ends has no room for another peer
 * - unproven: the node did not prove its id, or proved another one: its certificate was refused, or
 *   this transport proves ids and the connection proved none
 * - unreachable: nobody answered; see the error
 * - failed: any other failure; see the error
 */
export type PeerRejection =
  | 'denied'
  | 'duplicate'
  | 'twin'
  | 'filtered'
  | 'incompatible'
  | 'self'
  | 'full'
  | 'unproven'
  | 'unreachable'
  | 'failed';

/** The events of peers, in the order in which they happen. */
export type PeerEvent<S = unknown> =
  /** A node is connected. If it was connected before, a `down` event came first. */
  | { readonly type: 'up'; readonly peer: PeerInfo<S> }
  /** The last connection to a node has ended; `cause` is the reason. */
  | {
      readonly type: 'down';
      readonly nodeId: string;
      readonly addr: string | undefined;
      readonly cause: TransportError;
    }
  /**
   * A connection was rejected. With `out`, this node dialed it. With `in`, it is any incoming
   * connection, even one that spoke another protocol, had the wrong security or certificate,
   * belonged to another network, or ended before its hello. Without a hello, only `endpoint` shows
   * where it came from.
   */
  | {
      readonly type: 'rejected';
      readonly reason: PeerRejection;
      readonly direction: 'in' | 'out';
      readonly error: TransportError;
      readonly nodeId?: string | undefined;
      /** The dialed address, or the address that the other end advertises; with its scheme. */
      readonly addr?: string | undefined;
      /** The remote endpoint of an incoming connection, as the transport sees it. */
      readonly endpoint?: string | undefined;
      readonly remote?: Remote | undefined;
    }
  /** A peer's status changed; `status` is undefined if the peer has none any more. */
  | { readonly type: 'status'; readonly nodeId: string; readonly status: S | undefined }
  /**
   * A problem that did not stop these peers, such as a corrupt address book or a status that can't
   * be decoded.
   */
  | { readonly type: 'warning'; readonly error: TransportError }
  /** This reader was too slow and missed `missed` events. */
  | { readonly type: 'lagged'; readonly missed: number };
