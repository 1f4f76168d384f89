// What peers send for a topic, handed to it.

import type { Peers } from '@trunkline/peers';
import type { Remote } from '@trunkline/transport-core';
import type { Session } from '../topics/session.ts';
import { decodeControl, decodePush } from './frame.ts';
import type { Hearsay } from './hearsay.ts';

export interface InboxHost {
  /** The time, as of this tick. */
  now(): number;
  readonly peers: Pick<Peers, 'learn'>;
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Undefined: it is nobody's peer. */
  peerOf(from: Remote): { readonly nodeId: string; readonly hearsay: Hearsay } | undefined;
  /** It sent a message of a topic that this node is not on. */
  remind(nodeId: string): void;
  misbehaved(nodeId: string): void;
  dueBy(time: number): void;
}

export class Inbox {
  readonly #host: InboxHost;

  constructor(host: InboxHost) {
    this.#host = host;
  }

  pushed(request: Uint8Array, from: Remote): void {
    const { sessions } = this.#host;
    const peer = this.#host.peerOf(from);
    const envelope = decodePush(request);
    if (peer === undefined) return;
    if (envelope === undefined) return this.#host.misbehaved(peer.nodeId);
    const session = sessions.get(envelope.topic);
    if (session === undefined) this.#host.remind(peer.nodeId);
    else session.pushed(peer.nodeId, envelope, this.#host.now());
  }

  controlled(request: Uint8Array, from: Remote): void {
    const { sessions } = this.#host;
    const peer = this.#host.peerOf(from);
    const decoded = decodeControl(request);
    if (peer === undefined) return;
    if (decoded === undefined) return this.#host.misbehaved(peer.nodeId);
    const session = sessions.get(decoded.topic);
    session?.overlay?.controlled(peer.nodeId, decoded.control, this.#host.now());
    if (session !== undefined) this.#host.dueBy(session.due);
  }

  viewed({ topic, message, addresses }: { topic: string; message: unknown; addresses?: unknown }, from: Remote): void {
    const { peers, sessions } = this.#host;
    const peer = this.#host.peerOf(from);
    const session = sessions.get(topic);
    if (peer === undefined || session === undefined) return;
    const now = this.#host.now();
    peer.hearsay.heard(addresses, peer.nodeId, peers, now);
    session.overlay?.viewed(peer.nodeId, message, now);
    this.#host.dueBy(session.due);
  }
}
