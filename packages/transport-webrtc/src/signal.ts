// The interface of signaling: how two nodes exchange the offer, the answer and the candidates from
// which a WebRTC connection is made. A hub, a WAMP router and the in-memory signaling implement it.

import type { PeerListsUpdate } from '@trunkline/security';
import type { TransportError } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';

/**
 * One node's access to signaling, in one realm. Nodes are addressed by their ids. Signaling isn't
 * trusted: it can keep nodes apart, but with an `identity` on both sides it can't impersonate one.
 */
export interface Signal {
  /** The id under which others reach this node: a node id, or another name in the realm. */
  readonly nodeId: string;
  /**
   * False if sessions carry only one offer and one answer. Both then contain all candidates, so
   * connecting takes longer. Default: true.
   */
  readonly trickle?: boolean | undefined;
  /**
   * Carries streams through signaling itself, between nodes that have no direct path. Its addresses
   * are node ids, and its connections prove node ids. Default: no relay.
   */
  readonly relay?: SignalRelay | undefined;
  /**
   * Registers this node. Resolves once others can open sessions to it; rejects with a
   * TransportError: `address_in_use` if another node holds the id, otherwise, for example,
   * `unavailable`. A hub instead ends the other registration, whose `failed` gets that error. Each
   * session is passed to `accept`, which attaches to it synchronously or closes it. It may be
   * called again after `failed` or `unlisten`.
   *
   * @param failed reports that the registration was lost for good, so that no session will be
   * accepted until `listen` is called again. A signal that registers again by itself doesn't call
   * it.
   */
  listen(
    accept: (session: SignalSession) => void,
    failed?: (error: TransportError) => void,
  ): Promise<void>;
  /** Ends the registration. Sessions stay open. Idempotent. */
  unlisten(): Promise<void>;
  /**
   * Opens a session to the node `target`. Resolves once signaling has answered that it can reach
   * the node, so that nothing costly is created for a node that is offline. With WAMP, it resolves
   * once the router is joined: the router answers only the offer, so `connection_refused` then
   * reaches the session's `closed`. Rejects with a TransportError: `connection_refused` if no node
   * is registered under that id, `dial_timeout` after `timeout` milliseconds, `resource_exhausted`
   * if a limit is reached, or `unavailable`. If the signal aborts first, it rejects with the
   * signal's reason.
   */
  open(target: string, options: SignalOpenOptions): Promise<SignalSession>;
  /**
   * Says that a user of this signal begins (`true`) or ends (`false`) to need it. A transport does
   * so with its first dial and its `listen`, and when it has closed. When the last user has ended,
   * the signal does not keep the process alive: it closes its connection, unless it is registered.
   * It connects again when it is used again. Without `ref`, it stays as it is.
   */
  ref?(on: boolean): void;
}

/** The streams that signaling relays. */
export interface SignalRelay extends StreamLayer {
  /** Replaces the lists of allowed and denied nodes immediately. */
  updatePeers(lists: PeerListsUpdate): void;
}

/** Options of `open`. */
export interface SignalOpenOptions {
  /** The time `open` may take, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** The exchange of messages for one connection. The node that opened it sends the offer. */
export interface SignalSession {
  /** The other node's id, as signaling states it. It is proven only by the connection itself. */
  readonly peer: string;
  /**
   * An opaque name of the address from which the other node uses signaling, in an accepted session,
   * if signaling knows it. Nodes behind one address have the same. Handshakes are counted by it.
   */
  readonly source?: string | undefined;
  /**
   * Starts reporting messages, in order; called once. Messages that arrived before this call are
   * kept. Each message comes from another node, so the receiver checks it with
   * `parseSignalMessage`.
   */
  attach(receiver: SignalReceiver): void;
  /** Sends a message to the other node. Never throws; after the end, it drops the message. */
  send(message: SignalMessage): void;
  /**
   * Ends the session at both ends. With an error, the other end receives its code, reason and
   * message; over WAMP, only a refused offer tells the other end. The nodes close the session as
   * soon as their connection is open. Idempotent.
   */
  close(error?: TransportError): void;
}

/** Receives the reports of a session. */
export interface SignalReceiver {
  message(message: unknown): void;
  /**
   * Reports that the other node or signaling itself ended the session, with an error if it refused
   * or failed. Called at most once; nothing is reported after it, or after this end's `close`.
   */
  closed(error?: TransportError): void;
}

/** A message of a session; plain JSON. */
export type SignalMessage = SignalDescription | SignalCandidate;

/** An offer or an answer. */
export interface SignalDescription {
  readonly type: 'offer' | 'answer';
  /** At most 16,384 characters. */
  readonly sdp: string;
  /**
   * In an offer, the time that is left of the dial, in milliseconds. The other node gathers
   * candidates for at most a third of it, and for at most 2 s.
   */
  readonly timeout?: number | undefined;
}

/** A candidate that was found after the offer or the answer was sent. */
export interface SignalCandidate {
  readonly type: 'candidate';
  /** At most 1,024 characters. Empty if no more candidates follow. */
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
}
