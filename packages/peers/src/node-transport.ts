/// <reference lib="esnext.disposable" preserve="true" />
// A transport whose targets are node ids.

import type {
  AnyTransport,
  Client,
  Clock,
  ConnectionEvent,
  MountOptions,
  Protocol,
  Random,
  Remote,
  RequestInput,
  Rpc,
  Target,
  Transport,
  TransportSnapshot,
} from '@trunkline/transport-core';
import type {
  HoldOptions,
  MethodName,
  OneWayName,
  ResultOf,
  SendArguments,
  StreamOf,
} from '@trunkline/transport-core/backend';

/** Keys under which transport-core finds the inbox and the engine of a transport. */
const INBOX: symbol = Symbol.for('trunkline.inbox');
const ENGINE: symbol = Symbol.for('trunkline.engine');

/**
 * Mounts a protocol with node ids as targets. For the transport's own protocol, this wraps the
 * transport itself.
 */
export function nodeTransport<P extends Protocol>(
  transport: AnyTransport,
  protocol: P,
  nodeId: string,
  options: MountOptions = {},
): Transport<P> {
  if ((transport.protocol as Protocol) !== protocol)
    return new NodeTransport<P>(transport.mount(protocol, options), nodeId);
  const given = Object.entries(options).find(([, value]) => value !== undefined)?.[0];
  if (given !== undefined)
    throw new TypeError(
      `peers.transport: '${protocol.name}' is the transport's own protocol, which takes no options; ${given === 'drains' ? 'except it from drain' : `give ${given} to serve`}`,
    );
  return new NodeTransport<P>(transport as unknown as Transport<P>, nodeId);
}

/**
 * A mount of one protocol that uses node ids as addresses. Its own address is this node's id; a
 * target is another node's id, either plain or as `node:<id>`.
 */
export class NodeTransport<P extends Protocol> implements Transport<P> {
  readonly protocol: P;
  readonly clock: Clock;
  readonly random: Random;
  readonly #mount: Transport<P>;
  readonly #nodeId: string;

  constructor(mount: Transport<P>, nodeId: string) {
    this.protocol = mount.protocol;
    this.clock = mount.clock;
    this.random = mount.random;
    this.#mount = mount;
    this.#nodeId = nodeId;
  }

  send<N extends MethodName<P>>(
    target: Target,
    method: N,
    request: RequestInput<P, N>,
    ...options: SendArguments<P, N>
  ): Promise<ResultOf<P, N>> & StreamOf<P, N> {
    return this.#mount.send(target, method, request, ...options);
  }

  to(target: Target): Client<P> {
    return this.#mount.to(target);
  }

  trySend<N extends OneWayName<P>>(
    target: Target,
    method: N,
    request: RequestInput<P, N>,
  ): boolean {
    return this.#mount.trySend(target, method, request);
  }

  trySendAll<N extends OneWayName<P>>(
    targets: readonly Target[],
    method: N,
    request: RequestInput<P, N>,
  ): boolean[] {
    return this.#mount.trySendAll(targets, method, request);
  }

  writable(target: Target): Promise<void> {
    return this.#mount.writable(target);
  }

  dial(target: Target, options?: { readonly signal?: AbortSignal | undefined }): Promise<Remote> {
    return this.#mount.dial(target, options);
  }

  disconnect(target: Target, reason?: string): Promise<void> {
    return this.#mount.disconnect(target, reason);
  }

  consumer<N extends MethodName<P> = MethodName<P>>(
    ...methods: N[]
  ): AsyncIterableIterator<Rpc<P, N>> {
    return this.#mount.consumer(...methods);
  }

  /**
   * Returns this node's id. Throws `failed_precondition` before the transport listens, as every
   * transport does.
   */
  localAddr(): string {
    this.#mount.localAddr();
    return this.#nodeId;
  }

  localAddrs(): string[] {
    return [this.localAddr()];
  }

  /** Returns this node's id. */
  advertiseAddr(): string {
    this.#mount.advertiseAddr();
    return this.#nodeId;
  }

  /** Changes the address at which this node is dialed; its id stays. */
  advertise(addresses: string | readonly string[] | undefined): void {
    this.#mount.advertise(addresses);
  }

  listen(): Promise<void> {
    return this.#mount.listen();
  }

  remotes(): Remote[] {
    return this.#mount.remotes();
  }

  connections(): AsyncIterableIterator<ConnectionEvent> {
    return this.#mount.connections();
  }

  hold(target: Target, options?: HoldOptions): () => void {
    return this.#mount.hold(target, options);
  }

  closeStreams(): Promise<void> {
    return this.#mount.closeStreams();
  }

  mount<Q extends Protocol>(protocol: Q, options?: MountOptions): Transport<Q> {
    return new NodeTransport<Q>(this.#mount.mount(protocol, options), this.#nodeId);
  }

  snapshot(): TransportSnapshot {
    const snapshot = this.#mount.snapshot();
    return { ...snapshot, localAddrs: snapshot.localAddrs.length === 0 ? [] : [this.#nodeId] };
  }

  close(options?: { readonly grace?: number | undefined }): Promise<void> {
    return this.#mount.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal The inbox that `serve` reads from. */
  get [INBOX as never](): unknown {
    return (this.#mount as unknown as Record<symbol, unknown>)[INBOX];
  }

  /** @internal The engine that `manage` controls. */
  get [ENGINE as never](): unknown {
    return (this.#mount as unknown as Record<symbol, unknown>)[ENGINE];
  }
}
