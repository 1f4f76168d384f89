// Decides by node id which peers this end wants, and watches live connections when the lists
// change.

import type { TransportError } from '@trunkline/transport-core';
import {
  isNodeId,
  option,
  optionsSchema,
  parseOptions,
  reasonError,
} from '@trunkline/transport-core/backend';

/** Node ids to allow and to deny. */
export interface PeerLists {
  /**
   * Node ids that may connect or be reached; a node that was dialed by its id is also allowed.
   * Default: any node that proves its id.
   */
  readonly allow?: readonly string[] | undefined;
  /**
   * Node ids that are refused, with `denied` at both ends. The list takes precedence over `allow`
   * and over an id that was dialed.
   */
  readonly deny?: readonly string[] | undefined;
}

/** Changes to the lists at run time. A list that is omitted or undefined stays as it is. */
export interface PeerListsUpdate {
  /** The whole new list; `null` removes the list. */
  readonly allow?: readonly string[] | null | undefined;
  /** The whole new list. */
  readonly deny?: readonly string[] | undefined;
}

/** A live connection to a node that proved its id. */
export interface LiveConnection {
  /** Set while the connection is watched. */
  readonly nodeId: string | undefined;
  /**
   * Sends the peer the reason why it is no longer wanted, and disconnects it. Called by each update
   * after which the peer is unwanted, until `forget`. It must not throw, because the update would
   * then skip the remaining peers.
   */
  revoke(error: TransportError): void;
}

/** The nodes that one end wants: judges peers by their ids, for layers that prove node ids. */
export class NodeIdFilter {
  /** The id of this node. */
  readonly self: string;
  #allow: ReadonlySet<string> | undefined;
  #deny: ReadonlySet<string>;
  /** Live connections, each with the node id that its dialer wanted to reach. */
  readonly #live = new Map<LiveConnection, string | undefined>();

  /**
   * Does not check the lists: their owner does, with `nodeIdsOption`.
   * @param self the id of this node, which needs no place in `allow`.
   */
  constructor(self: string, { allow, deny }: PeerLists) {
    this.self = self;
    this.#allow = allow && new Set(allow);
    this.#deny = new Set(deny);
  }

  /**
   * Returns the reason why the node is not wanted, judged by its id alone; the text is shown at
   * both ends. `dialed` is the id that the dialer wants to reach.
   */
  judge(nodeId: string, dialed: string | undefined): TransportError | undefined {
    if (this.#deny.has(nodeId)) return reasonError('denied', `node ${nodeId} is denied (deny)`);
    if (
      this.#allow === undefined ||
      this.#allow.has(nodeId) ||
      nodeId === dialed ||
      nodeId === this.self
    )
      return undefined;
    return reasonError(
      'denied',
      `node ${nodeId} is not allowed (allow has ${this.#allow.size} others)`,
    );
  }

  /**
   * Revokes `peer` when an update makes it unwanted, until `forget`. `judge` it first: it is not
   * judged here. `dialed` is the id that this end wanted to reach.
   */
  watch(peer: LiveConnection, dialed: string | undefined): void {
    this.#live.set(peer, dialed);
  }

  /** Stops watching a connection that has ended. */
  forget(peer: LiveConnection): void {
    this.#live.delete(peer);
  }

  /**
   * Replaces the lists immediately, and revokes peers that are no longer wanted. Throws a TypeError
   * that names an invalid list; then nothing changes.
   */
  update(lists: PeerListsUpdate): void {
    const { allow, deny } = parseOptions(updateSchema, lists, 'updatePeers') as PeerListsUpdate;
    if (allow !== undefined) this.#allow = allow === null ? undefined : new Set(allow);
    if (deny !== undefined) this.#deny = new Set(deny);
    for (const [peer, dialed] of [...this.#live]) {
      const error = this.judge(peer.nodeId!, dialed);
      if (error !== undefined) peer.revoke(error);
    }
  }
}

const isIds = (value: unknown) =>
  Array.isArray(value) && value.every((id) => typeof id === 'string' && isNodeId(id));
const IDS = 'a list of node ids: 64 lower-case hex digits each';

/** The option type for a list of node ids. */
export const nodeIdsOption = option.reference<readonly string[]>(isIds, IDS);

const updateSchema = optionsSchema({
  allow: option.optional(
    option.reference<readonly string[] | null>(
      (value) => value === null || isIds(value),
      `${IDS}; or null`,
    ),
  ),
  deny: option.optional(nodeIdsOption),
});
