// A transport from configuration: the scheme of an address picks the backend that carries it.

import { type CommonOptions, commonOptions } from '../common-options.ts';
import { extendOptions, optional, parseOptions, reference } from '../config.ts';
import { isProtocol, type Protocol } from '../protocol/protocol.ts';
import { systemClock } from '../system-clock.ts';
import { systemRandom } from '../system-random.ts';
import type { Backend } from './backend.ts';
import { NetworkTransport } from './network-transport.ts';
import { SchemeLayer } from './scheme-layer.ts';
import type { Transport } from './types.ts';

/** Options of `createTransport`; `protocol` and `backends` are required. */
export interface CreateTransportOptions<P extends Protocol> extends CommonOptions {
  readonly protocol: P;
  /** What may carry it: `[tcp(), ws()]`. A target whose scheme has no backend is `invalid_argument`, naming those there are. */
  readonly backends: readonly Backend[];
  /**
   * Where others reach it, with schemes; several may be given. Default: the first address that it listens on; if some backends prove
   * its node id, the first address of those.
   */
  readonly advertiseAddr?: string | readonly string[] | undefined;
}

/** A transport that listens on these addresses (one, a list, or one text with commas), and dials any target by its scheme. */
export function createTransport<P extends Protocol>(addresses: string | readonly string[], options: CreateTransportOptions<P>): Transport<P>;
/** A transport that only dials. */
export function createTransport<P extends Protocol>(options: CreateTransportOptions<P>): Transport<P>;
export function createTransport<P extends Protocol>(
  first: string | readonly string[] | CreateTransportOptions<P>,
  second?: CreateTransportOptions<P>,
): Transport<P> {
  const listens = typeof first === 'string' || Array.isArray(first);
  const options = (listens ? second : first) as CreateTransportOptions<P>;
  const { protocol: _protocol, backends, advertiseAddr, ...common } = parseOptions(schema, options, 'createTransport');
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const layer = new SchemeLayer(
    listens ? list(first as string | readonly string[]) : [],
    list((advertiseAddr ?? []) as string | readonly string[]),
    backends as readonly Backend[],
    { clock, random, observer: options.observer },
  );
  return new NetworkTransport<P>({ ...(common as CommonOptions), protocol: options.protocol, stream: layer, clock, random });
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  backends: reference<readonly Backend[]>(isBackends, 'a list of at least one backend, such as [tcp(), ws()]'),
  advertiseAddr: optional(reference<string | readonly string[]>(isAddresses, 'an address, or a list of them')),
});

function list(addresses: string | readonly string[]): string[] {
  const all = typeof addresses === 'string' ? addresses.split(',') : addresses;
  return all.map((address) => address.trim()).filter((address) => address !== '');
}

function isAddresses(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.every((address) => typeof address === 'string'));
}

function isBackends(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((backend) => Array.isArray(backend?.schemes) && typeof backend.layer === 'function');
}
