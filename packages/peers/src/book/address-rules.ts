// The options of the address book, and the rules about the addresses that may enter it and leave
// it: own addresses, private ids, banned ids, and addresses that may not be dialed.

import type { Random } from '@trunkline/transport-core';
import { isNodeId } from '@trunkline/transport-core/backend';
import { parseIp } from '../address/ip.ts';
import { type DialMode, isDialable, type Place, placeOf } from '../address/place.ts';
import type { BookDocument } from './document.ts';
import {
  type AddressIndex,
  type AddVerdict,
  type BanList,
  type BookAddress,
  MOST_OWN,
} from './entries.ts';

/** Options of `AddressBook`. */
export interface AddressBookOptions {
  /**
   * The source of randomness for the secret of the buckets and for all picks. Others must not be
   * able to predict it.
   */
  readonly random: Random;
  /**
   * The current time, in milliseconds of the monotonic clock that all later `now` arguments come
   * from.
   */
  readonly now: number;
  /** The addresses that may be dialed after other nodes reported them. Default 'any'. */
  readonly mode?: DialMode;
  /**
   * Returns whether a place may be dialed after a node of the address group `source` has reported
   * it. Default: all that `mode` accepts.
   */
  readonly mayDial?: ((place: Place, source: string) => boolean) | undefined;
  /** The document that an earlier book saved. Invalid entries in it are left out. */
  readonly saved?: BookDocument | undefined;
  /** Ids that are never sent to others, see `setPrivate`. Default none. */
  readonly privateIds?: readonly string[];
  /** This node's id, which is never added. Default unknown. */
  readonly nodeId?: string | undefined;
}

/** See `AddressBookOptions`. */
export interface AddressRulesOptions extends Pick<AddressBookOptions, 'mayDial'> {
  readonly mode: DialMode;
  readonly nodeId: string | undefined;
  readonly privateIds: readonly string[];
}

export class AddressRules {
  readonly #mode: DialMode;
  readonly #mayDial: AddressBookOptions['mayDial'];
  readonly #nodeId: string | undefined;
  readonly #index: AddressIndex;
  readonly #bans: BanList;
  /** The addresses at which this node listens or that it advertises. */
  #listening: ReadonlySet<string> = new Set();
  /** The addresses at which a dial of this node reached itself. */
  readonly #reached = new Set<string>();
  #private: ReadonlySet<string>;

  constructor(
    { mode, mayDial, nodeId, privateIds }: AddressRulesOptions,
    index: AddressIndex,
    bans: BanList,
  ) {
    this.#mode = mode;
    this.#mayDial = mayDial;
    this.#nodeId = nodeId;
    this.#index = index;
    this.#bans = bans;
    this.#private = new Set(privateIds);
  }

  /** Replaces the addresses at which this node can be reached. */
  setOwn(keys: readonly string[]): void {
    this.#listening = new Set(keys);
  }

  /** Adds the canonical address of a dial that reached this node. */
  addOwn(key: string): void {
    this.#reached.delete(key);
    this.#reached.add(key);
    const [first] = this.#reached;
    if (this.#reached.size > MOST_OWN) this.#reached.delete(first!);
  }

  removeOwn(key: string): void {
    this.#reached.delete(key);
  }

  isOwn(key: string): boolean {
    return this.#listening.has(key) || this.#reached.has(key);
  }

  /** Replaces the set of private ids. */
  setPrivate(ids: readonly string[]): void {
    this.#private = new Set(ids);
  }

  isPrivate(nodeId: string): boolean {
    return this.#private.has(nodeId);
  }

  /**
   * Returns the place of an address that may be added, or the reason why it may not. `source` is
   * the id of the node that reported it, and `group` its address group; without a group, the
   * address is not judged by it.
   */
  placeFor(entry: BookAddress, source?: string, group?: string): Place | AddVerdict {
    const { nodeId, address } = entry ?? {};
    if (typeof nodeId !== 'string' || typeof address !== 'string' || !isNodeId(nodeId))
      return 'malformed';
    const known = this.#index.get(nodeId);
    const place = known?.address === address ? known.place : placeOf(address);
    if (place === undefined) return 'malformed';
    if (nodeId === this.#nodeId || this.isOwn(place.key)) return 'own';
    if (this.#private.has(nodeId) || (source !== undefined && this.#private.has(source)))
      return 'private';
    if (this.#bans.get(nodeId) !== undefined) return 'banned';
    return isDialable(place, this.#mode) &&
      (group === undefined || this.#mayDial?.(place, group) !== false)
      ? place
      : 'undialable';
  }
}

/**
 * Returns the group of an address, and a group as it is; all invalid addresses share one group.
 */
export function groupOf(address: string): string {
  if (typeof address !== 'string') return '';
  return placeOf(address)?.group ?? (parseIp(address) === undefined ? '' : address);
}
