// The resolver of 'dns:' and 'dns+srv:' targets, and its options.

import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import {
  type Clock,
  type Random,
  type Resolver,
  systemClock,
  systemRandom,
  TransportError,
} from '@trunkline/transport-core';
import {
  option,
  optionsSchema,
  parseHostPort,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { DnsClient } from './dns-client.ts';
import { isDnsTarget, parseDnsTarget } from './dns-name.ts';
import type { DnsExchange, DnsServer } from './dns-server.ts';
import { lookUp } from './lookup.ts';
import { WatchedName } from './watched-name.ts';

/** Options of `createDnsResolver`; all may be left out. Times are in milliseconds. */
export interface DnsResolverOptions {
  /**
   * The DNS servers: IP addresses, with a port if it is not 53 ('10.96.0.10', '127.0.0.1:5353',
   * '[::1]:53'). They are asked in this order. Default: those of the machine (`/etc/resolv.conf`),
   * read again for each lookup.
   */
  readonly servers?: readonly string[] | undefined;
  /**
   * The scheme of the addresses, such as 'tcp' or 'wss', for transports with several backends.
   * Default: none, so the addresses are 'host:port'.
   */
  readonly scheme?: string | undefined;
  /** The port of targets 'dns:///host' that have none. Default: such targets are refused. */
  readonly port?: number | undefined;
  /** The kinds of addresses of a host that are used. Default 'both'. */
  readonly family?: 'both' | 'ipv4' | 'ipv6' | undefined;
  /**
   * The shortest time between two lookups of a name, even if its TTL is shorter or its addresses
   * fail. Default 1,000.
   */
  readonly minTtl?: number | undefined;
  /**
   * The longest time between two lookups, even if the TTL is longer; at least `minTtl`. Up to a
   * tenth is added at random. Default 60,000.
   */
  readonly maxTtl?: number | undefined;
  /** The time within which a server must answer a question. Default 2,000. */
  readonly timeout?: number | undefined;
  /** The number of times that each server is asked before a lookup fails, 1 to 10. Default 2. */
  readonly attempts?: number | undefined;
  /**
   * Carries queries to the servers in another way, for example by DNS over HTTPS (RFC 8484) or
   * through a simulated network. Default: UDP, and TCP if an answer was truncated.
   */
  readonly exchange?: DnsExchange | undefined;
  /**
   * Default: the system's clock. Pass the clock of the transport if the transport has one of its
   * own.
   */
  readonly clock?: Clock | undefined;
  /** Returns numbers in [0, 1). Default: the system's cryptographic source. */
  readonly random?: Random | undefined;
}

/**
 * Creates a resolver for a transport's option `resolve`. Targets are 'dns:///host:port' (A and AAAA
 * records) and 'dns+srv:///_service._proto.domain' (SRV records). Names are absolute: search
 * domains are not tried. While a name is watched, it is looked up again when its records expire,
 * and sooner when an address has failed. Sockets and timers exist only while a name is watched, so
 * there is nothing to close. Calls to a malformed target fail with `invalid_argument`, and calls to
 * further names fail with `resource_exhausted` while 1,024 names are watched.
 *
 * @throws TypeError that names the invalid option.
 */
export function createDnsResolver(options: DnsResolverOptions = {}): Resolver {
  return new DnsResolver(parseOptions(schema, options, 'createDnsResolver'));
}

class DnsResolver implements Resolver {
  readonly #config: ReturnType<typeof parseOptions<typeof schema>>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #client: DnsClient;
  /** The names that are or were watched, until `#makeRoom` forgets them; at most `NAMES`. */
  readonly #names = new Map<string, WatchedName>();

  constructor(config: ReturnType<typeof parseOptions<typeof schema>>) {
    const { servers, timeout, attempts, exchange } = config;
    const { clock = systemClock, random = systemRandom } = config;
    const given = servers?.map((server) => readServer(server)!);
    this.#config = config;
    this.#clock = clock;
    this.#random = random;
    this.#client = new DnsClient({
      servers: () => given ?? systemServers(),
      timeout,
      attempts,
      exchange,
      clock,
      random,
    });
  }

  handles(target: string): boolean {
    return isDnsTarget(target);
  }

  watch(target: string, observer: Parameters<Resolver['watch']>[1]): () => void {
    return this.#name(target).watch(observer);
  }

  resolveNow(target: string): void {
    this.#names.get(target)?.lookUpSoon();
  }

  #name(target: string): WatchedName {
    let watched = this.#names.get(target);
    if (watched !== undefined) return watched;
    const { port, family, scheme, minTtl, maxTtl } = this.#config;
    const name = parseDnsTarget(target, port);
    this.#makeRoom();
    const options = { family, prefix: scheme === undefined ? '' : `${scheme}://` };
    watched = new WatchedName({
      minTtl,
      maxTtl: Math.max(minTtl, maxTtl),
      clock: this.#clock,
      random: this.#random,
      lookUp: (signal) => lookUp(this.#client, name, options, signal),
    });
    this.#names.set(target, watched);
    return watched;
  }

  /** Forgets names that are not watched, starting with those whose results have expired. */
  #makeRoom(): void {
    if (this.#names.size < NAMES) return;
    for (const [target, name] of this.#names)
      if (!name.isWatched && !name.isFresh) this.#names.delete(target);
    for (const [target, name] of this.#names) {
      if (this.#names.size < NAMES) return;
      if (!name.isWatched) this.#names.delete(target);
    }
    if (this.#names.size < NAMES) return;
    throw new TransportError(
      'resource_exhausted',
      `DNS: ${NAMES} names are watched already; use fewer, or another resolver`,
      { sent: false },
    );
  }
}

/** Returns the machine's DNS servers. */
function systemServers(): readonly DnsServer[] {
  return getServers().flatMap((server) => readServer(server) ?? []);
}

/** Reads 'ip', 'ip:port' or '[ipv6]:port'; undefined for anything else. */
function readServer(text: string): DnsServer | undefined {
  if (isIP(text) !== 0) return { host: text, port: 53 };
  const place = parseHostPort(text);
  if (place === undefined || isIP(place.host) === 0 || place.port === 0) return undefined;
  return place;
}

const schema = optionsSchema({
  servers: option.optional(
    option.reference<readonly string[]>(
      (value) =>
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((server) => typeof server === 'string' && readServer(server) !== undefined),
      "a list of at least one IP address, such as '10.96.0.10' or '127.0.0.1:5353'",
    ),
  ),
  scheme: option.optional(
    option.reference<string>(
      (value) => typeof value === 'string' && /^[a-z][a-z0-9+.-]*$/i.test(value),
      "a scheme without '://', such as 'tcp'",
    ),
  ),
  port: option.optional(option.integer(1, 65_535)),
  family: option.withDefault(
    option.reference<'both' | 'ipv4' | 'ipv6'>(
      (value) => value === 'both' || value === 'ipv4' || value === 'ipv6',
      "'both', 'ipv4' or 'ipv6'",
    ),
    'both',
  ),
  minTtl: option.withDefault(option.milliseconds(), 1_000),
  maxTtl: option.withDefault(option.milliseconds(), 60_000),
  timeout: option.withDefault(option.milliseconds(), 2_000),
  attempts: option.withDefault(option.integer(1, 10), 2),
  exchange: option.optional(option.callback<DnsExchange>()),
  clock: option.optional(
    option.reference<Clock>(
      (value) => typeof (value as Clock | undefined)?.setTimeout === 'function',
      'a Clock',
    ),
  ),
  random: option.optional(option.callback<Random>()),
});

/** The maximum number of names in memory. */
const NAMES = 1_024;
