// Creates a transport from configuration: the scheme of an address picks the backend that carries
// it. create-transport.test.ts and network-options.test.ts test this file; composed.test.ts of
// transport-tcp tests `updateTls` and `checkCalled`.

import { type CommonOptions, commonOptions } from '../common-options.ts';
import { extendOptions, optional, parseOptions, reference, withMethods } from '../config.ts';
import { TransportError } from '../errors.ts';
import type { TraceChannels } from '../observer.ts';
import { isProtocol, type Protocol } from '../protocol/protocol.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';
import { systemClock, systemRandom } from '../system-runtime.ts';
import { TransportEngine } from './engine.ts';
import { ProtocolTransport } from './protocol-transport.ts';
import { type Backend, SchemeLayer } from './scheme-layer.ts';
import type { Transport } from './types.ts';

// Turns any stream layer into a Transport.

/** Options of a NetworkTransport; `protocol` and `stream` are required. */
export interface NetworkTransportOptions<P extends Protocol> extends CommonOptions {
  /** The protocol that the transport speaks; `mount` adds others. */
  readonly protocol: P;
  /**
   * The layer that carries the bytes. The transport owns it: it is closed with the transport and
   * must not be shared.
   */
  readonly stream: StreamLayer;
  /** The tracing channels of the process. Default: none. */
  readonly channels?: TraceChannels | undefined;
}

/**
 * A Transport on a StreamLayer: it adds framing, multiplexing, pooling, deadlines, back-pressure
 * and limits.
 */
export class NetworkTransport<P extends Protocol> extends ProtocolTransport<P> {
  constructor(options: NetworkTransportOptions<P>) {
    const { protocol, stream, channels, ...config } = parseOptions(
      networkSchema(),
      options,
      'NetworkTransport',
    );
    super(new TransportEngine(stream, config, channels), protocol as P, true);
  }
}

/** The methods that `StreamLayer` requires; a new one must be added here, too. */
const LAYER_METHODS = ['listen', 'dial', 'localAddr', 'advertiseAddr', 'close'] as const;
// A function, so that bundlers can drop it.
const networkSchema = () =>
  extendOptions(commonOptions, {
    protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
    stream: withMethods<StreamLayer>('a StreamLayer', LAYER_METHODS),
    channels: optional(reference<TraceChannels>(isObject, 'the tracing channels of the process')),
  });

/** Options of `createTransport`; `protocol` and `backends` are required. */
export interface CreateTransportOptions<
  P extends Protocol,
  B extends readonly Backend[] = readonly Backend[],
> extends CommonOptions {
  /** The protocol that the transport speaks; `mount` adds others. */
  readonly protocol: P;
  /**
   * The backends that the transport may use: `[tcp(), ws()]`. A target whose scheme has no backend
   * fails with `invalid_argument`, which names the available schemes.
   */
  readonly backends: B;
  /**
   * The addresses at which others reach the transport, with schemes. Default: the first address
   * that it listens on; if some backends prove its node id, the first address of such a backend.
   */
  readonly advertiseAddr?: string | readonly string[] | undefined;
}

/**
 * A transport made of several backends. Its type has `updateTls` only if that of a backend does; at
 * run time, it always has the method.
 */
export type ComposedTransport<P extends Protocol, B extends readonly Backend[]> = Transport<P> &
  ([UpdateOf<B[number]>] extends [never]
    ? unknown
    : {
        /**
         * Changes the key, certificate, authorities or lists of every backend that has TLS, while
         * it runs, with the backend's own `updateTls`. Rejects with `failed_precondition` if no
         * backend has TLS, with `invalid_argument` for a value that a backend can't use, and with a
         * TypeError for one of the wrong type; then this backend and those after it stay as they
         * were.
         */
        updateTls(update: UpdateOf<B[number]>): Promise<void>;
      });

type UpdateOf<B> = B extends { updateTls(update: infer U): Promise<void> } ? U : never;

/**
 * Creates a transport whose `listen` binds these addresses (one, a list, or one string with commas)
 * and which dials any target by its scheme.
 *
 * @throws TypeError for invalid options, and for an `advertiseAddr` that this transport or other
 * machines can't dial; `invalid_argument` for an address to listen on that no backend understands.
 */
export function createTransport<
  P extends Protocol,
  B extends readonly Backend[] = readonly Backend[],
>(
  addresses: string | readonly string[],
  options: CreateTransportOptions<P, B>,
): ComposedTransport<P, B>;
/** Creates a transport that only dials. Throws as the other overload does. */
export function createTransport<
  P extends Protocol,
  B extends readonly Backend[] = readonly Backend[],
>(options: CreateTransportOptions<P, B>): ComposedTransport<P, B>;
export function createTransport<P extends Protocol>(
  first: string | readonly string[] | CreateTransportOptions<P>,
  second?: CreateTransportOptions<P>,
): Transport<P> {
  const listens = typeof first === 'string' || Array.isArray(first);
  const options = (listens ? second : first) as CreateTransportOptions<P>;
  checkCalled(options);
  const { protocol, backends, advertiseAddr, ...config } = parseOptions(
    schema,
    options,
    'createTransport',
  );
  const { clock = systemClock, random = systemRandom, observer } = config;
  const layer = new SchemeLayer(
    listens ? list(first as string | readonly string[]) : [],
    list(advertiseAddr ?? []),
    backends,
    { clock, random, observer },
    // As given: parsing has filled in the default in `config`.
    options.limits?.credit === undefined,
  );
  const channels = backends.find((backend) => backend.channels)?.channels;
  const engine = new TransportEngine(layer, config, channels);
  const transport = new ProtocolTransport(engine, protocol as P, true);
  return Object.assign(transport, {
    updateTls: (update: unknown) => updateBackends(backends, update),
  });
}

/**
 * Updates each backend that has TLS, one after another, until one refuses the update. A backend
 * whose `updateTls` rejects with `failed_precondition` counts as one without TLS.
 */
async function updateBackends(backends: readonly Backend[], update: unknown): Promise<void> {
  let missing: unknown = new TransportError(
    'failed_precondition',
    "updateTls: no backend of this transport uses TLS; create a backend with the option 'tls'",
  );
  let updated = false;
  for (const backend of new Set(backends)) {
    try {
      await (backend as { updateTls?(update: unknown): Promise<void> }).updateTls?.(update);
      updated ||= 'updateTls' in backend;
    } catch (error) {
      if (!(error instanceof TransportError && error.code === 'failed_precondition')) throw error;
      missing = error;
    }
  }
  if (!updated) throw missing;
}

/** Throws a TypeError for a common mistake: `[tcp]` instead of `[tcp()]`. */
function checkCalled(options: unknown): void {
  const { backends } = (options ?? {}) as { backends?: unknown };
  if (!Array.isArray(backends)) return;
  for (const [at, backend] of backends.entries()) {
    if (typeof backend !== 'function') continue;
    const name = backend.name || 'backend';
    throw new TypeError(
      `createTransport: backends[${at}]: is the function '${name}' itself: call it, as in [${name}()]`,
    );
  }
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  backends: reference<readonly Backend[]>(
    isBackends,
    'a list of at least one backend, such as [tcp(), ws()]',
  ),
  advertiseAddr: optional(
    reference<string | readonly string[]>(isAddresses, 'an address, or a list of them'),
  ),
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function list(addresses: string | readonly string[]): string[] {
  const all = typeof addresses === 'string' ? addresses.split(',') : addresses;
  return all.map((address) => address.trim()).filter((address) => address !== '');
}

function isAddresses(value: unknown): boolean {
  return [value].flat().every((address) => typeof address === 'string');
}

function isBackends(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((backend) => Array.isArray(backend?.schemes) && typeof backend.layer === 'function')
  );
}
