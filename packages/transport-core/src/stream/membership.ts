// The membership of a transport, which knows the nodes behind its connections: a transport has at
// most one, usually that of `@trunkline/peers`, which `manage` sets. The tests of that package, and
// direct/membership.test.ts of transport-inmem, test it. Below is the list of addresses behind a
// name, which address-list.test.ts tests.

import { isNodeId } from '../address.ts';
import type { TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import type { ResolvedAddress, Resolver } from '../resolver.ts';

/** A connection that is not up yet, but whose hello was received. */
export interface PendingConnection {
  readonly remote: Remote;
  /**
   * The node id that its hello asserts; '' if it asserts none. If the layer proved an id, this is
   * the same one or ''.
   */
  readonly claim: string;
  /** The protocols that its hello lists. They distinguish a node that runs peers from a client. */
  readonly protocols: readonly Pick<Protocol, 'name' | 'version' | 'accepts' | 'channel'>[];
  /** The dialed target, as written; undefined on an accepted connection. */
  readonly target: string | undefined;
  /** The features that its hello lists. */
  readonly features: readonly string[];
  /**
   * The features that this end lists in its answer; `admit` may set them on an accepted connection.
   */
  answer: readonly string[];
}

/**
 * The questions and events about connections that a transport passes to its membership. All methods
 * except `admit` and `reach` are synchronous and must not throw.
 */
export interface Membership {
  /** This node's id, which hellos assert from now on; see `asserts` for exceptions. */
  readonly nodeId: string;
  /**
   * True if the id is asserted even on connections where the peer proves none. Default true. If
   * false, this end acts as a client on such connections: its hello contains no id.
   */
  readonly asserts?: boolean | undefined;
  /**
   * Called after the user's `admit` has agreed. Like the user's function, it throws (now or later)
   * to refuse, and both ends see the reason. It is not called after `Management.release`, even for
   * a connection whose hello was received before.
   */
  admit(pendingConnection: PendingConnection): unknown;
  /** Reports that a connection is up, after `admit` has agreed to it. */
  up(remote: Remote): void;
  /**
   * Reports that the peer of a live connection has announced its protocols and its address again;
   * `protocols` is its new list.
   */
  remounted?(remote: Remote, protocols: PendingConnection['protocols']): void;
  /** Reports that the peer of a live connection has changed its address, `remote.addr`. */
  moved?(remote: Remote): void;
  /**
   * Reports that a connection whose hello was received has ended, even if it was never up, `admit`
   * was not called for it, or it is older than the membership (`manage` ends such connections).
   */
  down(remote: Remote, cause: TransportError): void;
  /**
   * Reports that an accepted connection failed, with the error: either end or the layer below
   * refused it, or it closed before it was up. `remote` is set if its hello was received; then
   * `down` follows.
   */
  turnedAway?(endpoint: string, error: TransportError, remote: Remote | undefined): void;
  /**
   * Returns the IP addresses at which to dial the host name of a target; see `DialOptions`. If it
   * returns undefined, `Dialer` uses those at which the target's first live connection was dialed.
   */
  addressesOf?(target: string): readonly string[] | undefined;
  /** Returns the live connections of a node, the preferred one first. */
  links(nodeId: string): readonly Remote[];
  /**
   * Returns a connection to a node, and dials if there is none. Rejects with a TransportError, or
   * with the signal's reason.
   */
  reach(nodeId: string, signal: AbortSignal): Promise<Remote>;
  /**
   * Inspects each incoming call, also a one-way, before its request is decoded. If it returns an
   * error, the connection ends with that error and no handler sees the request. `bytes` is the
   * memory that the handler gets, so it must not be changed. Optional; `manage` looks only once
   * whether it is there.
   */
  readonly screen?:
    | ((
        remote: Remote,
        protocol: string,
        method: string,
        bytes: Uint8Array,
      ) => TransportError | undefined)
    | undefined;
  /** Resolves names that the membership knows, such as 'service:orders'. Optional. */
  readonly resolver?: Resolver | undefined;
  /** Reports that the transport is closing. */
  closed(): void;
}

/**
 * Returns the node id of a target `node:<id>` or of a bare id; undefined for any other target.
 * (`node:7000` is a host name and a port.)
 */
export function nodeOf(target: string): string | undefined {
  if (target.length === 64) return isNodeId(target) ? target : undefined;
  if (target.length !== 69 || !target.startsWith('node:')) return undefined;
  const id = target.slice(5);
  return isNodeId(id) ? id : undefined;
}

/** The key of a Remote's attachment; shared by all copies of this package. */
export const ATTACHMENT: symbol = Symbol.for('trunkline.attachment');

/**
 * Returns the `attachment` of a Remote's connection, for backends that keep something about each
 * connection: for example what `ws()` learned from the HTTP upgrade.
 */
export function attachmentOf(remote: Remote): object | undefined {
  return remote[ATTACHMENT as never];
}

// The list of addresses behind a name: its checks, and the order in which the addresses are dialed.

/** An address with its defaults filled in. */
export interface ListedAddress {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
}

/**
 * Returns the addresses that a Resolver or the option `resolve` gave, each only once (its first
 * entry), with defaults filled in. If there are more than 1,024 addresses, those with the lowest
 * priority numbers are kept.
 *
 * @throws TypeError for a value that is not a list, or that names the invalid entry.
 */
export function readAddresses(given: unknown): readonly ListedAddress[] {
  if (!Array.isArray(given)) throw new TypeError(`expected a list of addresses, got ${given}`);
  const list = new Map<string, ListedAddress>();
  for (const [at, entry] of given.entries()) {
    const { address, weight = 1, priority = 0 } = (entry ?? {}) as Partial<ResolvedAddress>;
    if (typeof address !== 'string' || address.trim() === '')
      throw new TypeError(`[${at}].address: must be an address, got ${JSON.stringify(address)}`);
    if (!(Number.isFinite(weight) && weight >= 0))
      throw new TypeError(`[${at}].weight: must be a number of at least 0, got ${weight}`);
    if (!Number.isFinite(priority))
      throw new TypeError(`[${at}].priority: must be a number, got ${priority}`);
    if (!list.has(address)) list.set(address, { address, weight, priority });
  }
  const all = [...list.values()];
  if (all.length <= ADDRESSES) return all;
  return all.sort((a, b) => a.priority - b.priority).slice(0, ADDRESSES);
}

/**
 * Returns the addresses in the order in which they are tried: by priority, and at random by weight
 * among equals (RFC 2782). An address with weight 0 comes after the others of the same priority.
 *
 * @param first the address that comes first whatever its priority, if it is listed: the one in use.
 */
export function orderAddresses(
  addresses: readonly ListedAddress[],
  random: Random,
  first?: string,
): readonly string[] {
  if (addresses.length === 1) return [addresses[0]!.address];
  // Sorting by these keys draws one address after another without replacement, each with a
  // probability in proportion to its weight (Efraimidis and Spirakis 2006).
  const drawn = addresses.map(({ address, weight, priority }) => {
    const lot = -Math.log(1 - random());
    return { address, priority, isSpare: weight === 0, lot: weight === 0 ? lot : lot / weight };
  });
  drawn.sort(
    (a, b) =>
      Number(b.address === first) - Number(a.address === first) ||
      a.priority - b.priority ||
      Number(a.isSpare) - Number(b.isSpare) ||
      a.lot - b.lot,
  );
  return drawn.map(({ address }) => address);
}

/** The maximum number of addresses behind one name. */
const ADDRESSES = 1_024;
