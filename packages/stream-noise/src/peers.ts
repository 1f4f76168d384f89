// Whom this end wants, by node id, now and later: the lists, and the connections that stand on them.

import { isNodeId, optional, optionsSchema, parseOptions, reasonError, reference, type TransportError } from '@trunkline/transport-core';

/** Whom to let in, and whom not. */
export interface PeerLists {
  /** Node ids: nobody else comes in, nor is reached, but who was dialled by its id. Without it whoever proves an id is taken. */
  readonly allow?: readonly string[] | undefined;
  /** Node ids that are refused, `denied` at both ends. It goes before `allow`, and before an id that was dialled. */
  readonly deny?: readonly string[] | undefined;
}

/** What changes while it runs: what is left out, or undefined, stays as it is. */
export interface PeerUpdate {
  /** The whole new list; `null`: no list any more. */
  readonly allow?: readonly string[] | null | undefined;
  /** The whole new list. */
  readonly deny?: readonly string[] | undefined;
}

/** A connection that lives, to the node that it proved. */
export interface LivePeer {
  readonly nodeId: string | undefined;
  revoke(error: TransportError): void;
}

export class Peers {
  /** This node. */
  readonly self: string;
  #allow: ReadonlySet<string> | undefined;
  #deny: ReadonlySet<string>;
  /** With whom each was meant to be. */
  readonly #live = new Map<LivePeer, string | undefined>();

  /** `self` may always call itself. */
  constructor(self: string, { allow, deny }: PeerLists) {
    this.self = self;
    this.#allow = allow && new Set(allow);
    this.#deny = new Set(deny);
  }

  /** Why the node is not wanted, by its id alone. The text is read at both ends. `dialled`: whom the dialler means to reach. */
  judge(nodeId: string, dialled: string | undefined): TransportError | undefined {
    if (this.#deny.has(nodeId)) return reasonError('denied', `node ${nodeId} is denied (deny)`);
    if (this.#allow === undefined || this.#allow.has(nodeId) || nodeId === dialled || nodeId === this.self) return undefined;
    return reasonError('denied', `node ${nodeId} is not allowed (allow has ${this.#allow.size} others)`);
  }

  /** From now on `peer` is told when it is not wanted any more; until `forget`. */
  watch(peer: LivePeer, dialled: string | undefined): void {
    this.#live.set(peer, dialled);
  }

  forget(peer: LivePeer): void {
    this.#live.delete(peer);
  }

  /** Takes new lists, at once: who is not wanted any more is cut. */
  update(lists: PeerUpdate): void {
    const { allow, deny } = parseOptions(updateSchema, lists, 'updatePeers') as PeerUpdate;
    if (allow !== undefined) this.#allow = allow === null ? undefined : new Set(allow);
    if (deny !== undefined) this.#deny = new Set(deny);
    for (const [peer, dialled] of [...this.#live]) {
      const error = this.judge(peer.nodeId!, dialled);
      if (error !== undefined) peer.revoke(error);
    }
  }
}

const isIds = (value: unknown) => Array.isArray(value) && value.every((id) => typeof id === 'string' && isNodeId(id));
const IDS = 'a list of node ids: 64 lower-case hex digits each';

/** A list of node ids, for a schema of options. */
export const nodeIds = reference<readonly string[]>(isIds, IDS);

const updateSchema = optionsSchema({
  allow: optional(reference<readonly string[] | null>((value) => value === null || isIds(value), `${IDS}; or null`)),
  deny: optional(nodeIds),
});
