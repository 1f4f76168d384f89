/// <reference lib="esnext.disposable" preserve="true" />
// Implements the Transport interface for one protocol on a transport engine. The root transport and
// every mount are ProtocolTransports.

import type { Clock } from '../clock.ts';
import { reasonError, TransportError, withCallerStack, withDetails } from '../errors.ts';
import { encodeAs } from '../protocol/message.ts';
import type { Method, Protocol } from '../protocol/protocol.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import { Call, NO_OPTIONS, type OwnOptions } from '../rpc/call.ts';
import { Consumer } from '../rpc/consumer.ts';
import type { Inbox } from '../rpc/inbox.ts';
import { StreamCall } from '../rpc/stream-call.ts';
import type { MethodName, OneWayName, RequestInput, Rpc } from '../rpc/types.ts';
import { Connection } from '../stream/connection.ts';
import { LiveRemote } from '../stream/remote.ts';
import type { TransportEngine } from './engine.ts';
import type { Mount } from './mount.ts';
import type { Snapshot } from './snapshot.ts';
import { takeSnapshot } from './take-snapshot.ts';
import type {
  Client,
  ConnectionEvent,
  ResultOf,
  SendArguments,
  Target,
  Transport,
} from './types.ts';

/**
 * The key under which `manage` finds the engine of a transport; shared by all copies of this
 * package.
 */
export const ENGINE: symbol = Symbol.for('trunkline.engine');
/**
 * The key under which `serve` finds the inbox of a transport; shared by all copies of this package.
 */
export const INBOX: symbol = Symbol.for('trunkline.inbox');

export class ProtocolTransport<P extends Protocol> implements Transport<P> {
  readonly protocol: P;
  readonly clock: Clock;
  readonly random: Random;
  protected readonly engine: TransportEngine;
  readonly #mount: Mount;
  readonly #root: boolean;
  /** The method that was looked up last: most calls use the same method as the one before. */
  #last: Method | undefined = undefined;

  constructor(engine: TransportEngine, protocol: P, root: boolean) {
    this.protocol = protocol;
    this.engine = engine;
    this.clock = engine.clock;
    this.random = engine.random;
    this.#mount = engine.mount(protocol);
    this.#root = root;
    if (engine.config.callerStacks === true) {
      this.send = withCallerStack(
        'send',
        this.send.bind(this) as (...args: unknown[]) => Promise<never>,
      ) as typeof this.send;
      this.dial = withCallerStack('dial', this.dial.bind(this));
    }
  }

  // Calls.

  send<N extends MethodName<P>>(
    target: Target,
    method: N,
    request: RequestInput<P, N>,
    ...options: SendArguments<P, N>
  ): Promise<ResultOf<P, N>>;
  send(target: Target, method: string, request: unknown, options?: OwnOptions): Promise<unknown> {
    try {
      const remote = typeof target === 'string' ? undefined : this.#connectionOf(target);
      const found = this.#method(method, 'send');
      this.#refuseWhenOver();
      if (options !== undefined || found.flags !== 0) checkOptions(found, options ?? NO_OPTIONS);
      const payload = encodeAs(found.request, found.what.request, request);
      const call =
        found.flags === 0
          ? new Call(this.#mount, found, payload, target, options ?? NO_OPTIONS)
          : new StreamCall(this.#mount, found, payload, target, options ?? NO_OPTIONS);
      if (!call.done) this.#start(call, remote);
      return call.promise;
    } catch (error) {
      return Promise.reject(unsent(error, target));
    }
  }

  to(target: Target): Client<P> {
    const client: Record<string, unknown> = Object.create(null);
    for (const name of this.#mount.table.byName.keys()) {
      client[name] = (request: never, ...options: never) =>
        this.send(target, name as MethodName<P>, request, ...(options as never));
    }
    return Object.freeze(client) as Client<P>;
  }

  trySend<N extends OneWayName<P>>(
    target: Target,
    method: N,
    request: RequestInput<P, N>,
  ): boolean {
    const definition = this.#oneway(method, 'trySend');
    if (this.#mount.over !== undefined) return false;
    return this.#try(
      this.#live(target),
      definition,
      encodeAs(definition.request, definition.what.request, request),
    );
  }

  trySendAll<N extends OneWayName<P>>(
    targets: readonly Target[],
    method: N,
    request: RequestInput<P, N>,
  ): boolean[] {
    const definition = this.#oneway(method, 'trySendAll');
    if (this.#mount.over !== undefined) return targets.map(() => false);
    const payload = encodeAs(definition.request, definition.what.request, request);
    // Look up all targets first, so that nothing is sent if one of them is invalid.
    const connections = targets.map((target) => this.#live(target));
    return connections.map((connection) => {
      try {
        return this.#try(connection, definition, payload);
      } catch {
        // This target can never take the message. The others are not affected; a `trySend` to this
        // target throws the reason.
        return false;
      }
    });
  }

  async writable(target: Target): Promise<void> {
    this.#refuseWhenOver();
    const connection = await this.#connect(target);
    await connection.writable(this.protocol.channel);
  }

  consumer<N extends MethodName<P> = MethodName<P>>(
    ...methods: N[]
  ): AsyncIterableIterator<Rpc<P, N>> {
    for (const method of methods) this.#method(method, 'consumer');
    return new Consumer(
      this.#mount.inbox,
      methods.length === 0 ? undefined : new Set(methods),
    ) as unknown as AsyncIterableIterator<Rpc<P, N>>;
  }

  #start(call: Call<unknown>, remote: Connection | undefined): void {
    call.begin();
    if (remote === undefined) this.engine.pool.start(call);
    else if (remote.isUp) remote.send(call);
    else call.failed(lost(call.target));
  }

  #live(target: Target): Connection | undefined {
    return typeof target === 'string' ? this.engine.pool.live(target) : this.#connectionOf(target);
  }

  #try(connection: Connection | undefined, method: Method, payload: Uint8Array): boolean {
    return connection?.trySend(this.protocol.channel, method, payload) === true;
  }

  #method(name: string, what: string): Method {
    const last = this.#last;
    return last !== undefined && last.name === name ? last : this.#find(name, what);
  }

  #find(name: string, what: string): Method {
    const { byName } = this.#mount.table;
    const method = byName.get(name);
    if (method === undefined)
      throw new TypeError(
        `${what}: protocol '${this.protocol.name}' has no method '${name}'; it has ${[...byName.keys()].join(', ') || 'none'}`,
      );
    this.#last = method;
    return method;
  }

  #oneway(name: string, what: string): Method {
    const method = this.#method(name, what);
    if (method.kind !== 'oneway')
      throw new TypeError(
        `${what}: '${name}' is ${method.kind}; only one-way methods can be sent this way`,
      );
    return method;
  }

  #refuseWhenOver(): void {
    if (this.#mount.over !== undefined) throw this.#mount.over;
  }

  // Connections.

  /**
   * Returns the connection behind a Remote.
   *
   * @throws TypeError if it does not belong to this transport.
   */
  #connectionOf(target: Target): Connection {
    const link =
      typeof target === 'object' && target !== null ? LiveRemote.linkOf(target) : undefined;
    if (link instanceof Connection && link.host === this.engine) return link;
    const what =
      link === undefined
        ? typeof target === 'object'
          ? 'another object'
          : String(target)
        : 'a Remote of another transport';
    throw new TypeError(`a target is an address, or a Remote of this transport; got ${what}`);
  }

  async #connect(target: Target, signal?: AbortSignal): Promise<Connection> {
    if (signal?.aborted === true)
      throw new TransportError(
        'cancelled',
        `dial of ${nameOf(target)}: its signal was already aborted`,
        {
          cause: signal.reason,
          sent: false,
        },
      );
    if (typeof target === 'string')
      return this.engine.pool.live(target) ?? this.engine.pool.connect(target, signal);
    const connection = this.#connectionOf(target);
    if (!connection.isUp) throw lost(target.endpoint);
    return connection;
  }

  async dial(
    target: Target,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Remote> {
    this.#refuseWhenOver();
    const connection = await this.#connect(target, signal);
    const why = connection.nothingShared();
    if (why !== undefined) throw withDetails(why, { sent: false, target: nameOf(target) });
    return connection.remote!;
  }

  remotes(): Remote[] {
    return this.engine.remotes();
  }

  connections(): AsyncIterableIterator<ConnectionEvent> {
    return this.engine.follow() as AsyncIterableIterator<ConnectionEvent>;
  }

  hold(remote: Remote): () => void {
    return this.#connectionOf(remote).hold();
  }

  async disconnect(target: Target, reason?: string): Promise<void> {
    if (typeof target === 'string') {
      const connections = [
        ...new Set([
          ...this.engine.pool.connectionsOf(target),
          ...this.engine.members.links(target),
        ]),
      ];
      this.engine.pool.cancel(
        target,
        reasonError('disconnected', reason ?? 'this end disconnected'),
      );
      return this.engine.leave(connections, reason);
    }
    return this.engine.leave([this.#connectionOf(target)], reason);
  }

  closeStreams(): Promise<void> {
    return this.engine.leave([...this.engine.connections], 'this end closed its streams');
  }

  // Listening and closing.

  listen(): Promise<void> {
    return this.engine.listen();
  }

  localAddr(): string {
    return this.engine.layer.localAddr();
  }

  localAddrs(): string[] {
    return this.engine.layer.localAddrs?.() ?? [this.engine.layer.localAddr()];
  }

  advertiseAddr(): string {
    return this.engine.layer.advertiseAddr();
  }

  mount<Q extends Protocol>(protocol: Q): Transport<Q> {
    this.#refuseWhenOver();
    return new ProtocolTransport<Q>(this.engine, protocol, false);
  }

  snapshot(): Snapshot {
    return takeSnapshot(this.engine);
  }

  async close(options: { readonly grace?: number | undefined } = {}): Promise<void> {
    const { grace = 0 } = options;
    if (!(grace >= 0))
      throw new TypeError(`close: grace must be milliseconds, 0 or more, got ${String(grace)}`);
    if (this.#root) return this.engine.close(grace);
    return this.engine.closeMount(this.#mount, grace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  get [ENGINE as never](): TransportEngine {
    return this.engine;
  }

  /** @internal */
  get [INBOX as never](): Inbox {
    return this.#mount.inbox;
  }
}

function nameOf(target: Target): string {
  return typeof target === 'string' ? target : (target?.endpoint ?? String(target));
}

/** Adds `sent: false` and the target to the error of a call that could not be started. */
function unsent(error: unknown, target: Target): unknown {
  return error instanceof TransportError
    ? withDetails(error, { sent: false, target: nameOf(target) })
    : error;
}

function lost(endpoint: string): TransportError {
  return reasonError(
    'disconnected',
    `the connection to ${endpoint} is gone; a Remote can be reached only over its own connection`,
    {
      target: endpoint,
      sent: false,
    },
  );
}

function checkOptions(method: Method, { timeout, signal, upload }: OwnOptions): void {
  if (timeout !== undefined && !(timeout > 0))
    throw new TypeError(
      `send: timeout must be milliseconds above 0, or Infinity, got ${String(timeout)}`,
    );
  checkUpload(method, upload);
  if (signal?.aborted === true) {
    throw new TransportError(
      'cancelled',
      `${method.full}: its signal was aborted before it was sent`,
      { cause: signal.reason },
    );
  }
}

function checkUpload(method: Method, upload: unknown): void {
  if (method.upload === undefined) {
    if (upload !== undefined)
      throw new TypeError(`send: '${method.full}' has no upload, but was given one`);
  } else if (typeof upload !== 'object' || upload === null || !(Symbol.asyncIterator in upload)) {
    throw new TypeError(`send: '${method.full}' needs an upload: an AsyncIterable of items`);
  }
}
