// Decides which addresses that other nodes report may be dialed, so that no peer can make this node
// connect to services that only this node can reach. Tested in dial-policy.test.ts.

import { splitScheme } from '@trunkline/transport-core/internal';
import {
  embeddedIPv4,
  type IpKind,
  type IpRange,
  inRange,
  kindOfIp,
  parseIp,
  parseRange,
} from './ip.ts';
import { type DialMode, isDialable, type Place, placeOf } from './place.ts';

/** The option `addresses` of `createPeers`; undefined is its default. */
export type Addresses = DialMode | { readonly allow: readonly string[] } | undefined;

/** The facts about this node that the policy depends on. */
interface DialPolicyHost {
  /** The addresses that this node listens on, advertises, and was given by its operator. */
  own(): readonly string[];
  /** The IP addresses of this machine; undefined if they can't be listed. */
  interfaces(): readonly string[] | undefined;
  /** Returns true if a backend of this node dials addresses of this form. */
  dials(address: string): boolean;
  /** True if host names can be looked up before they are dialed. */
  readonly looksUp: boolean;
  now(): number;
}

export class DialPolicy {
  /** The addresses that may be dialed at all, no matter who reports them. */
  readonly mode: DialMode;
  /** True if every address that `mode` accepts may be dialed, as it is. */
  readonly isOpen: boolean;
  readonly #host: DialPolicyHost;
  readonly #allowed: readonly IpRange[];
  #own: readonly Place[] = [];
  #ownAt = Number.NEGATIVE_INFINITY;

  constructor(addresses: Addresses, host: DialPolicyHost) {
    this.mode = addresses === 'public' ? 'public' : 'any';
    this.isOpen = addresses === 'any';
    this.#allowed =
      typeof addresses === 'object' ? addresses.allow.map((text) => parseRange(text)!) : [];
    this.#host = host;
  }

  /**
   * Returns why a place may not be dialed, as the end of a sentence about it, or undefined if it
   * may. `source` is the address group of the node that reported it, as the address book records
   * it. A host name is judged again, by its IP addresses, before it is dialed.
   */
  refusal(place: Place, source: string): string | undefined {
    if (!isDialable(place, 'any')) return 'is not the address of a node';
    if (this.isOpen) return undefined;
    if (!isDialable(place, this.mode)) return 'is not public';
    const { scheme, rest } = splitScheme(place.key);
    const isWebSocket = scheme === 'ws' || scheme === 'wss';
    if (scheme !== undefined && !isWebSocket)
      return this.#uses(scheme, rest, place.key)
        ? undefined
        : `has a scheme or a server that this node does not use, '${place.key}'`;
    const path = pathOf(rest);
    if (isWebSocket && path !== '/' && !this.#owns(path))
      return `has a path that is neither '/' nor one of this node's, '${path}'`;
    const group = classOf(place);
    if (group === 'name')
      return place.port === undefined || this.#host.looksUp || scheme === 'wss'
        ? undefined
        : "is a host name that can't be looked up here; only over 'wss' is it dialed";
    if (group === 'public' || this.#isAllowed(place)) return undefined;
    if (group !== classOfSource(source)) return `is ${group}, and the address of that peer is not`;
    return group !== 'private' || this.#isNear(place)
      ? undefined
      : 'is in a private range in which this node has no address';
  }

  #isAllowed({ ip }: Place): boolean {
    return ip !== undefined && this.#allowed.some((range) => inRange(ip, range));
  }

  /**
   * Returns whether this machine has an address in the same private range. The masks of interfaces
   * say nothing, because in clouds and in Tailscale each address is a network of its own.
   */
  #isNear({ ip }: Place): boolean {
    const interfaces = this.#host.interfaces();
    if (interfaces === undefined) return true;
    const isIn = (other: Uint8Array | undefined) =>
      other !== undefined && isPrivate(kindOfIp(other)) && rangeOf(other) === rangeOf(ip!);
    return (
      interfaces.some((text) => isIn(parseIp(text))) ||
      this.#ownPlaces().some((one) => isIn(one.ip))
    );
  }

  /**
   * Returns whether this node uses a scheme and, in 'nats://server/name', the server or one that
   * may belong to the same cluster.
   */
  #uses(scheme: string, rest: string, address: string): boolean {
    const server = serverOf(rest);
    if (server === undefined) return this.#host.dials(address);
    return this.#ownPlaces().some(({ key }) => {
      const own = splitScheme(key);
      return own.scheme === scheme && isLike(server, serverOf(own.rest));
    });
  }

  #owns(path: string): boolean {
    return this.#ownPlaces().some(({ key }) => {
      const { scheme, rest } = splitScheme(key);
      return (scheme === 'ws' || scheme === 'wss') && pathOf(rest) === path;
    });
  }

  #ownPlaces(): readonly Place[] {
    const now = this.#host.now();
    if (now - this.#ownAt >= CURRENT) {
      this.#ownAt = now;
      this.#own = this.#host.own().flatMap((address) => placeOf(address) ?? []);
    }
    return this.#own;
  }
}

/**
 * Returns the class of a place: two addresses of one class can usually be reached from the same
 * machines.
 */
function classOf({ kind, host }: Place): string {
  if (kind === 'name') return isLocalhost(host) ? 'loopback' : 'name';
  return isPrivate(kind) ? 'private' : kind;
}

/** Returns the class of the node whose address group is given; undefined without an IP address. */
function classOfSource(source: string): string | undefined {
  if (/^local(?::|$)/.test(source) || isLocalhost(source)) return 'loopback';
  const ip = parseIp(source);
  if (ip === undefined) return undefined;
  const kind = kindOfIp(ip);
  return isPrivate(kind) ? 'private' : kind;
}

/** Returns 'server' of 'server/name'. */
function serverOf(rest: string): string | undefined {
  return /^([^/?#]*)[/?#]/.exec(rest)?.[1];
}

/**
 * Returns whether two servers are the same, or have the same port and either names in one domain or
 * addresses of one class.
 */
function isLike(server: string, own: string | undefined): boolean {
  if (server === own) return true;
  const [one, other] = [placeOf(server), own === undefined ? undefined : placeOf(own)];
  if (one?.port === undefined || one.port !== other?.port || classOf(one) !== classOf(other))
    return false;
  if (one.kind === 'name') return domainOf(one.host) === domainOf(other.host);
  return classOf(one) !== 'private' || rangeOf(one.ip!) === rangeOf(other.ip!);
}

/** Returns 'example.com' of 'a.example.com', and a name itself that is in no such domain. */
function domainOf(host: string): string {
  return /\.(.*\..*)$/s.exec(host.toLowerCase())?.[1] ?? host;
}

function isPrivate(kind: IpKind): boolean {
  return kind === 'private' || kind === 'shared';
}

function isLocalhost(host: string): boolean {
  return /^(?:.*\.)?localhost$/i.test(host);
}

/** Returns the private range of an address: 10/8, 172.16/12, 192.168/16, 100.64/10, or IPv6. */
function rangeOf(ip: Uint8Array): number {
  return (ip.length === 4 ? ip : embeddedIPv4(ip))?.[0] ?? 0;
}

/** Returns the path of an address without its scheme, with its query. */
function pathOf(rest: string): string {
  return /[/?#].*$/su.exec(rest)?.[0] ?? '/';
}

/** Milliseconds for which a list of this node's own addresses is used. */
const CURRENT = 1_000;
