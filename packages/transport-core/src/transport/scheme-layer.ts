// Combines several stream layers into one: the scheme of an address picks the layer, for dialing
// and for listening. It owns these layers, and closes them. Below is the interface of backends.
// scheme-layer.test.ts tests this file.

import { notAdvertisable, parseHostPort, splitScheme } from '../address.ts';
import type { Clock } from '../clock.ts';
import type { LimitOptions } from '../common-options.ts';
import { TransportError } from '../errors.ts';
import type { Observer, TraceChannels } from '../observer.ts';
import type { Random } from '../random.ts';
import type {
  DialOptions,
  HandshakeSlot,
  ListenOptions,
  StreamConnection,
  StreamLayer,
} from '../stream/stream-layer.ts';

/** A stream layer that delegates to the layers of several backends. */
export class SchemeLayer implements StreamLayer {
  readonly #backends: readonly Backend[];
  /** The options that every backend receives. */
  readonly #given: Pick<BackendLayerOptions, 'clock' | 'random' | 'observer'>;
  readonly #advertised: string | undefined;
  /** True if connections get the credit that their backends ask for. */
  readonly #lendsCredit: boolean;
  /** The layers that listen, each with its scheme, in the order of their addresses. */
  readonly #listeners: { scheme: string; layer: StreamLayer; backend: Backend }[] = [];
  /** The layers that dial. A backend that listens dials with the layer of its first address. */
  readonly #dialers = new Map<Backend, StreamLayer>();
  /** True from the first successful `listen` until `close`. */
  #listens = false;
  /** The number of calls to `close`; a pending `listen` ends when that number changes. */
  #closes = 0;
  /** The layers that `listen` has bound, and that have not failed since; empty after `close`. */
  readonly #up = new Set<StreamLayer>();

  constructor(
    addresses: readonly string[],
    advertiseAddrs: readonly string[],
    backends: readonly Backend[],
    given: Pick<BackendLayerOptions, 'clock' | 'random' | 'observer'>,
    lendsCredit = true,
  ) {
    this.#backends = backends;
    this.#lendsCredit = lendsCredit;
    this.#given = given;
    this.#advertised = advertiseAddrs.length === 0 ? undefined : advertiseAddrs.join(',');
    for (const bindAddr of addresses) {
      const { scheme, backend } = this.#backendOf(bindAddr, 'createTransport');
      const advertiseAddr =
        advertiseAddrs.find((address) =>
          backend.schemes.includes(splitScheme(address).scheme ?? ''),
        ) ?? advertiseAddrs[0];
      const layer = backend.layer({ bindAddr, advertiseAddr, ...given });
      this.#listeners.push({ scheme, layer, backend });
      if (!this.#dialers.has(backend)) this.#dialers.set(backend, layer);
    }
    for (const [index, address] of advertiseAddrs.entries())
      checkAdvertised(this, address, `createTransport: advertiseAddr[${index}]`);
  }

  /**
   * Binds all addresses. Unlike other layers, it may be called again while it listens: that binds
   * only the layers that have failed, for Acceptor, which handles their failures as one.
   */
  async listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    if (this.#listeners.length === 0) {
      throw new TransportError(
        'failed_precondition',
        `createTransport: no address to listen on was given; give one, such as '${this.#backends[0]?.schemes[0] ?? 'tcp'}://127.0.0.1:0'`,
      );
    }
    const closes = this.#closes;
    let failure: unknown;
    for (const { layer, backend } of this.#listeners) {
      if (this.#up.has(layer)) continue;
      try {
        const broke = (error: TransportError) => {
          this.#up.delete(layer);
          failed?.(error);
        };
        const ready: typeof accept = (connection, slot) =>
          accept(this.#withCredit(connection, backend), slot);
        await layer.listen(ready, broke, options);
        // `close` promised that nothing stays bound.
        if (closes !== this.#closes)
          throw new TransportError('shutdown', 'Listening was cancelled: the layer was closed');
        this.#up.add(layer);
      } catch (error) {
        failure ??= error;
        if (!this.#listens) break;
      }
    }
    // The first `listen` is all or nothing. Later, the layers that did bind keep listening.
    if (failure !== undefined && !this.#listens) {
      await Promise.all([...this.#up].map((layer) => layer.close()));
      this.#up.clear();
    }
    if (failure !== undefined) throw failure;
    this.#listens = true;
  }

  stopListening(): void {
    for (const { layer } of this.#listeners) {
      if (layer.stopListening === undefined) void layer.close().catch(() => {});
      else layer.stopListening();
    }
  }

  async dial(address: string, options: DialOptions): Promise<StreamConnection> {
    const backend = this.#dialerOf(address);
    return this.#withCredit(await this.#layerOf(backend).dial(address, options), backend);
  }

  #withCredit(connection: StreamConnection, { credit }: Backend): StreamConnection {
    if (credit !== undefined && this.#lendsCredit) connection.credit = credit;
    return connection;
  }

  checkAddress(address: string): void {
    this.#layerOf(this.#dialerOf(address)).checkAddress?.(address);
  }

  #layerOf(backend: Backend): StreamLayer {
    let layer = this.#dialers.get(backend);
    if (layer === undefined) {
      layer = backend.layer({ bindAddr: undefined, advertiseAddr: undefined, ...this.#given });
      this.#dialers.set(backend, layer);
    }
    return layer;
  }

  localAddr(): string {
    return this.localAddrs()[0]!;
  }

  /** Returns the addresses of the layers that have one, and throws if there is none. */
  localAddrs(): string[] {
    const addresses = this.#listens ? this.#listeners.flatMap(addressesOf) : [];
    if (addresses.length > 0) return addresses;
    throw new TransportError(
      'failed_precondition',
      'localAddr: this transport does not listen yet, or its listeners have failed',
    );
  }

  /**
   * The node id of the first layer that proves one, whether it listens or only dials: one node has
   * one identity.
   */
  get nodeId(): string | undefined {
    return this.#firstOf('nodeId');
  }

  get certificate(): StreamLayer['certificate'] {
    return this.#firstOf('certificate');
  }

  get machine(): StreamLayer['machine'] {
    return this.#firstOf('machine');
  }

  /**
   * Reads a property of the first layer that has it. Creates the layers that were not needed yet.
   */
  #firstOf<K extends 'nodeId' | 'certificate' | 'machine'>(key: K): StreamLayer[K] {
    for (const { layer } of this.#listeners) if (layer[key] !== undefined) return layer[key];
    for (const backend of this.#backends) {
      const value = this.#layerOf(backend)[key];
      if (value !== undefined) return value;
    }
    return undefined;
  }

  proves(address: string): boolean {
    try {
      const layer = this.#layerOf(this.#dialerOf(address));
      return layer.proves?.(address) ?? layer.nodeId !== undefined;
    } catch {
      return false; // No backend here can dial it.
    }
  }

  /**
   * Returns the given addresses. Without any, returns the first address at which this node proves
   * its id, because peers need such an address to reach the node by its id; failing that, the first
   * address of `localAddrs`. Throws as `localAddrs` does, and if the layer of its address does.
   */
  advertiseAddr(): string {
    if (this.#advertised !== undefined) return this.#advertised;
    const [first] = this.localAddrs();
    const proving = this.#listeners.find(({ layer }) => layer.nodeId !== undefined);
    return proving === undefined ? first! : withScheme(proving.layer.localAddr(), proving.scheme);
  }

  async close(): Promise<void> {
    this.#closes++;
    this.#listens = false;
    this.#up.clear();
    const layers = new Set([
      ...this.#listeners.map(({ layer }) => layer),
      ...this.#dialers.values(),
    ]);
    await Promise.all([...layers].map((layer) => layer.close()));
  }

  /**
   * Returns the backend that dials an address. A bare 'host:port' belongs to the TCP backend, if
   * there is one, because `parseTarget` treats it and its 'tcp://' form as one target.
   */
  #dialerOf(address: string): Backend {
    const isBare =
      splitScheme(address).scheme === undefined && parseHostPort(address) !== undefined;
    const tcp = isBare
      ? this.#backends.find((candidate) => candidate.schemes.includes('tcp'))
      : undefined;
    return tcp ?? this.#backendOf(address, 'dial').backend;
  }

  #backendOf(address: string, what: string): { scheme: string; backend: Backend } {
    const { scheme } = splitScheme(address);
    const known = this.#backends.flatMap((backend) => backend.schemes);
    const backend = this.#backends.find((candidate) => candidate.schemes.includes(scheme ?? ''));
    if (scheme !== undefined && backend !== undefined) return { scheme, backend };
    if (known.includes('tcp') && scheme === undefined && isHost(address))
      throw new TransportError(
        'invalid_argument',
        `${what}: the address '${address}' has no port; write tcp://${address}:<port>`,
      );
    const wrong =
      scheme === undefined
        ? 'has no scheme'
        : `has the scheme '${scheme}', for which there is no backend`;
    throw new TransportError(
      'invalid_argument',
      `${what}: the address '${address}' ${wrong}; the schemes are ${known.map((name) => `${name}://`).join(', ') || 'none'}`,
    );
  }
}

/** Returns true for the name or IP address of a host without a port. */
function isHost(text: string): boolean {
  return text !== '' && parseHostPort(`${text}:1`) !== undefined;
}

/**
 * Checks an advertised address.
 *
 * @throws TypeError that names the option, if this layer or other machines can't dial the address.
 */
export function checkAdvertised(
  layer: Pick<StreamLayer, 'checkAddress'>,
  address: string | undefined,
  option: string,
): void {
  if (address === undefined) return;
  try {
    layer.checkAddress?.(address);
  } catch (error) {
    throw new TypeError(`${option}: ${(error as Error).message}`);
  }
  const [, ipv6, name] = /^(?:[^/]*:\/\/)?(?:\[([^\]]*)|([^/:]*))/.exec(address)!;
  const host = ipv6 ?? name;
  const why = host && notAdvertisable(host);
  if (why) throw new TypeError(`${option}: cannot advertise ${address}: ${why}`);
}

/** Returns the address of a layer that listens; none if its listener has failed, and it throws. */
function addressesOf({ scheme, layer }: { scheme: string; layer: StreamLayer }): string[] {
  try {
    return [withScheme(layer.localAddr(), scheme)];
  } catch {
    return [];
  }
}

function withScheme(address: string, scheme: string): string {
  return splitScheme(address).scheme === undefined ? `${scheme}://${address}` : address;
}

// The interface of backends, which `createTransport` picks by the scheme of an address.

/**
 * A backend, as backend packages create it for `createTransport`: `tcp()`, `ws()`, `inmem()`. One
 * value can serve many transports.
 */
export interface Backend {
  /**
   * The schemes of its addresses in lower case: ['ws', 'wss']. If an address that its layer listens
   * on has no scheme, it is shown with the scheme of the layer's `bindAddr`.
   */
  readonly schemes: readonly string[];
  /** The tracing channels of the process, if the backend's runtime has any. */
  readonly channels?: TraceChannels | undefined;
  /**
   * The credit that connections of this backend begin with and grow to, instead of the defaults of
   * `limits.credit`: NATS, where each grant is a message through a server, begins with 4 MiB. It is
   * ignored if the transport has the option `limits.credit`.
   */
  readonly credit?: LimitOptions['credit'];
  /**
   * Creates a layer that dials and, if there is a `bindAddr`, listens on it. `SchemeLayer` calls it
   * once for each address to listen on, and once if the backend only dials.
   */
  layer(options: BackendLayerOptions): StreamLayer;
}

/** Options with which a backend creates a layer. */
export interface BackendLayerOptions {
  /** The address to listen on, with its scheme; undefined for a layer that only dials. */
  readonly bindAddr: string | undefined;
  /**
   * The address at which others reach this node, verbatim: the first one with a scheme of this
   * backend, otherwise the first one; undefined if none was given, or for a layer that only dials.
   */
  readonly advertiseAddr: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Receives the events that only the layer sees, such as a connection that could not be accepted.
   */
  readonly observer: Observer | undefined;
}
