// Resolves targets that name a node id, with the help of the membership.

import { TransportError } from '../errors.ts';
import type { Remote } from '../remote.ts';
import type { Connection } from '../stream/connection.ts';
import { type Membership, nodeOf } from '../stream/membership.ts';
import { LiveRemote } from '../stream/remote.ts';

/** Finds connections by node id. */
export class Members {
  readonly #engine: { readonly membership: Membership | undefined };
  /** Targets that the option `resolve` mapped to a node, as the caller wrote them. */
  readonly #names = new Map<string, string>();

  constructor(engine: { readonly membership: Membership | undefined }) {
    this.#engine = engine;
  }

  /**
   * Returns the live connections of a target that names a node, `node:<id>` or `<id>@address`; for
   * the second form, only connections that proved the id.
   */
  links(target: string): readonly Connection[] {
    const { membership } = this.#engine;
    if (membership === undefined) return NONE;
    const named = nodeOf(target) ?? this.#names.get(target);
    if (named !== undefined) return membership.links(named).map(connectionOf);
    const id = target.charAt(64) === '@' ? target.slice(0, 64) : '';
    const proven =
      id === '' ? NOBODY : membership.links(id).filter((remote) => remote.nodeId === id);
    return proven.map(connectionOf);
  }

  /** See `Membership.addressesOf`. */
  addressesOf(target: string): readonly string[] | undefined {
    return this.#engine.membership?.addressesOf?.(target);
  }

  /** Returns the first of these connections that takes calls. */
  live(target: string): Connection | undefined {
    if (this.#engine.membership === undefined) return undefined;
    return this.links(target).find((connection) => connection.isUp);
  }

  /**
   * Connects to a node, or returns a connection to it.
   *
   * @param remembers true if `target` is a name that stands for this node from now on.
   */
  async reach(
    nodeId: string,
    target: string,
    signal: AbortSignal,
    remembers: boolean,
  ): Promise<Connection> {
    const { membership } = this.#engine;
    if (membership === undefined) {
      const message = `Cannot connect to ${target}: this transport cannot find nodes by their ids; createPeers({ transport }) can`;
      throw new TransportError('failed_precondition', message, { target, sent: false });
    }
    const connection = connectionOf(await membership.reach(nodeId, signal));
    if (remembers && nodeOf(target) === undefined) {
      if (this.#names.size >= NAMES) this.#names.clear();
      this.#names.set(target, nodeId);
    }
    return connection;
  }
}

/** Returns the connection behind a Remote of this transport. */
export function connectionOf(remote: Remote): Connection {
  return LiveRemote.linkOf(remote) as Connection;
}

/** The number of names that are remembered. */
const NAMES = 1_024;
const NONE: readonly Connection[] = Object.freeze([]);
const NOBODY: readonly Remote[] = Object.freeze([]);
