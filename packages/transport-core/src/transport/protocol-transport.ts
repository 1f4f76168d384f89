/// <reference lib="esnext.disposable" preserve="true" />
// Implements the Transport interface for one protocol on a transport engine. The root transport and
// every mount are ProtocolTransports. Each owns the mount of its protocol and the holds that were
// taken through it; the engine owns everything else. Below are the targets of calls, and the
// snapshot. The suites of transport-testkit test this file.

import type { Clock } from '../clock.ts';
import type { CommonConfig } from '../common-options.ts';
import { grace, optionsSchema, parseOptions, refuseUnknown, withDefault } from '../config.ts';
import {
  ERROR_CODES,
  type ErrorCode,
  iterable,
  reasonError,
  TransportError,
  withCallerStack,
  withDetails,
} from '../errors.ts';
import type { ClientCall, ClientNext } from '../interceptors.ts';
import { bytes, encodeAs } from '../protocol/codec.ts';
import { isProjectProtocol, type Protocol, type ProtocolMethod } from '../protocol/protocol.ts';
import type { Random } from '../random.ts';
import type { Remote } from '../remote.ts';
import {
  Call,
  checkOptions,
  type Mount,
  NO_OPTIONS,
  nameOf,
  type OwnOptions,
  refuseAborted,
} from '../rpc/call.ts';
import { Consumer } from '../rpc/consumer.ts';
import type { Inbox } from '../rpc/inbox.ts';
import { compose, InterceptedCall } from '../rpc/interceptors.ts';
import { OutgoingRecord } from '../rpc/records.ts';
import type { MethodName, OneWayName, RequestInput, Rpc } from '../rpc/types.ts';
import { closeItems } from '../session/streams.ts';
import { type Connection, LiveRemote } from '../stream/connection.ts';
import { VERSION } from '../version.ts';
import { EMPTY } from '../wire/frame.ts';
import type { TransportEngine } from './engine.ts';
import { ENGINE } from './manage.ts';
import type {
  Client,
  ConnectionEvent,
  ConnectionSnapshot,
  HoldOptions,
  LimitsSnapshot,
  MountOptions,
  ResultOf,
  SendArguments,
  StreamOf,
  Target,
  Transport,
  TransportSnapshot,
} from './types.ts';

/**
 * The key under which `serve` finds the inbox of a transport; shared by all copies of this package.
 */
export const INBOX: symbol = Symbol.for('trunkline.inbox');

const closeOptions = optionsSchema({ grace: withDefault(grace(), 0) });

/** A transport, or a mount of one, as its user sees it; `Transport` describes the members. */
export class ProtocolTransport<P extends Protocol> implements Transport<P> {
  readonly protocol: P;
  readonly clock: Clock;
  readonly random: Random;
  protected readonly engine: TransportEngine;
  readonly #mount: Mount;
  /** True for the transport itself, whose `close` closes the engine; false for a mount. */
  readonly #root: boolean;
  /** The interceptors of calls, around the function that makes a call; undefined without any. */
  readonly #chain: ClientNext | undefined;
  /** The functions that end the holds of targets. */
  readonly #holds = new Set<() => void>();
  /** The method that was looked up last: most calls use the same method as the call before. */
  #last: ProtocolMethod | undefined = undefined;

  constructor(engine: TransportEngine, protocol: P, root: boolean, options: MountOptions = {}) {
    this.protocol = protocol;
    this.engine = engine;
    this.clock = engine.clock;
    this.random = engine.random;
    this.#mount = engine.mount(protocol, options);
    this.#root = root;
    const client = isProjectProtocol(protocol) ? [] : engine.config.interceptors.client;
    this.#chain = client.length > 0 ? compose(client, this.#makeIntercepted) : undefined;
    if (engine.callerStacks) {
      this.send = withCallerStack('send', this.send.bind(this) as never) as never;
      this.dial = withCallerStack('dial', this.dial.bind(this));
    }
  }

  // Calls.

  send<N extends MethodName<P>>(
    target: Target,
    method: N,
    request: RequestInput<P, N>,
    ...options: SendArguments<P, N>
  ): Promise<ResultOf<P, N>> & StreamOf<P, N>;
  send(target: Target, method: string, request: unknown, options?: OwnOptions): Promise<unknown> {
    let found: ProtocolMethod | undefined;
    try {
      found = this.#method(method, 'send');
      this.#refuseWhenOver();
      const own =
        options === undefined && found.flags === 0
          ? NO_OPTIONS
          : checkOptions(found, options ?? NO_OPTIONS);
      return this.#chain === undefined
        ? this.#launch(found, target, request, own)
        : this.#intercept(this.#chain, found, target, request, own);
    } catch (error) {
      if (options?.upload !== undefined) closeItems(options.upload, ignore);
      return iterable(Promise.reject(this.#reportUnsent(found, target, options, error)));
    }
  }

  /** Reports a call that fails before it is made. Returns its error. */
  #reportUnsent(
    method: ProtocolMethod | undefined,
    target: Target,
    options: OwnOptions | undefined,
    cause: unknown,
  ): unknown {
    const error = unsent(cause, target);
    // A TypeError is a mistake in the program instead of a call.
    if (method === undefined || !(error instanceof TransportError)) return error;
    // It counts as a call that was made.
    this.engine.calls.made++;
    this.engine.reporter.callFailed(error.code);
    const { watch } = this.engine.reporter;
    if (watch === undefined) return error;
    const idle = { payload: EMPTY, due: Number.POSITIVE_INFINITY, carrier: undefined };
    const call = { ...idle, method, target: nameOf(target), to: target };
    const record = new OutgoingRecord(watch, this.protocol.name, call, options?.metadata);
    watch.run(record, () => record.settled(error));
    return error;
  }

  /** Sends a call through the interceptors. */
  #intercept(
    chain: ClientNext,
    method: ProtocolMethod,
    target: Target,
    request: unknown,
    options: OwnOptions,
  ): Promise<unknown> {
    const call = new InterceptedCall(this, this.engine, method, target, request, options);
    let promise: Promise<unknown>;
    try {
      promise = Promise.resolve(chain(call));
    } catch (error) {
      // Not reported: a call that an interceptor refuses was never made (docs/observing.md).
      promise = Promise.reject(unsent(error, target));
    }
    // An interceptor may have failed the call before its upload was read.
    const { upload } = options;
    if (upload !== undefined) promise.catch(() => closeItems(upload, ignore));
    return method.download === undefined ? promise : iterable(promise);
  }

  /** Makes a call that the interceptors have passed on. */
  readonly #makeIntercepted = (call: ClientCall): Promise<unknown> => {
    const { target } = call;
    const { definition } = call as InterceptedCall;
    try {
      this.#refuseWhenOver();
      const options = (call as InterceptedCall).options();
      return this.#launch(definition, target, call.request, options);
    } catch (error) {
      return Promise.reject(this.#reportUnsent(definition, target, call, error));
    }
  };

  #launch(
    method: ProtocolMethod,
    target: Target,
    request: unknown,
    options: OwnOptions,
  ): Promise<unknown> {
    const remote = typeof target === 'string' ? undefined : ownConnection(this.engine, target);
    // Bytes are sent as they are; a call of bytes need not enter the codecs.
    const payload =
      method.request === bytes && request instanceof Uint8Array
        ? request
        : encodeAs(method.request, method.what.request, request);
    const call = new Call(this.#mount, method, payload, target, options);
    // Read after the call has begun a tick, which notices subscribers of tracing channels.
    const { watch } = this.engine.reporter;
    if (watch === undefined) return this.#start(call, remote);
    const record = new OutgoingRecord(watch, this.protocol.name, call, options.metadata);
    call.record = record;
    return watch.run(record, () => this.#start(call, remote));
  }

  #start(call: Call, remote: Connection | undefined): Promise<unknown> {
    const { promise } = call;
    // An observer may have aborted its signal.
    if (call.done) return promise;
    call.begin();
    if (remote === undefined) this.engine.pool.start(call);
    else if (remote.isUp) remote.caller.start(call);
    else call.failed(lost(call.target));
    return promise;
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
    const connection = this.#live(target);
    const payload = encodeAs(definition.request, definition.what.request, request);
    return this.#trySend(connection, definition, payload);
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
        return this.#trySend(connection, definition, payload);
      } catch {
        // This target can never take the message. The other targets are not affected; `trySend` to
        // this target alone throws the reason.
        return false;
      }
    });
  }

  async writable(target: Target): Promise<void> {
    this.#refuseWhenOver();
    const { endpoint, session } = await this.#connect(target);
    await this.engine.alive.during(session.whenWritable(this.protocol.channel, endpoint));
  }

  consumer<N extends MethodName<P> = MethodName<P>>(
    ...methods: N[]
  ): AsyncIterableIterator<Rpc<P, N>> {
    for (const method of methods) this.#method(method, 'consumer');
    const names = methods.length === 0 ? undefined : new Set<string>(methods);
    return new Consumer(this.#mount, names) as unknown as AsyncIterableIterator<Rpc<P, N>>;
  }

  /**
   * Sends a one-way if it can be sent now. Throws if it can never be sent. It is not counted among
   * the calls made, nor reported to observers.
   */
  #trySend(to: Connection | undefined, method: ProtocolMethod, payload: Uint8Array): boolean {
    return to?.isUp === true && to.caller.trySend(method, payload);
  }

  #live(target: Target): Connection | undefined {
    return typeof target === 'string'
      ? this.engine.pool.live(target)
      : ownConnection(this.engine, target);
  }

  #method(name: string, what: string): ProtocolMethod {
    const last = this.#last;
    return last?.name === name ? last : (this.#last = this.#mount.method(name, what));
  }

  #oneway(name: string, what: string): ProtocolMethod {
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

  async #connect(target: Target, signal?: AbortSignal): Promise<Connection> {
    refuseAborted(`dial of ${nameOf(target)}`, signal);
    if (typeof target === 'string')
      return this.engine.pool.live(target) ?? this.engine.pool.connect(target, signal);
    const connection = ownConnection(this.engine, target);
    if (!connection.isUp) throw lost(target.endpoint);
    return connection;
  }

  async dial(
    target: Target,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Remote> {
    refuseUnknown(options, 'dial', ['signal']);
    const { signal } = options;
    this.#refuseWhenOver();
    const connection = await this.#connect(target, signal);
    const why = connection.parts.channels.nothingShared();
    if (why !== undefined) throw withDetails(why, { sent: false, target: nameOf(target) });
    return connection.remote!;
  }

  remotes(): Remote[] {
    return this.engine.remotes();
  }

  connections(): AsyncIterableIterator<ConnectionEvent> {
    return this.engine.follow();
  }

  hold(target: Target, options: HoldOptions = {}): () => void {
    refuseUnknown(options, 'hold', ['stopOn']);
    const { stopOn = STOP_ON } = options;
    if (!Array.isArray(stopOn) || !stopOn.every((code) => Object.hasOwn(ERROR_CODES, code)))
      throw new TypeError(
        `hold: stopOn must be a list of codes, such as ['unavailable'], got ${stopOn}`,
      );
    const connection = typeof target === 'string' ? undefined : ownConnection(this.engine, target);
    if (connection === undefined) this.#refuseWhenOver();
    // The pool never calls it before its `hold` has returned, so `release` exists by then.
    const ended = () => release();
    const held =
      connection?.session.hold() ?? this.engine.pool.hold(target as string, { stopOn, ended });
    this.engine.alive.enter();
    const release = () => {
      if (!this.#holds.delete(release)) return;
      held();
      this.engine.alive.leave();
    };
    this.#holds.add(release);
    void connection?.whenGone().then(release);
    return release;
  }

  async disconnect(target: Target, reason?: string): Promise<void> {
    if (typeof target !== 'string')
      return this.engine.leave([ownConnection(this.engine, target)], reason);
    const { pool } = this.engine;
    const connections = new Set([...pool.connectionsOf(target), ...pool.dialer.links(target)]);
    pool.cancel(target, reasonError('disconnected', reason ?? 'this end disconnected'));
    return this.engine.leave([...connections], reason);
  }

  closeStreams(): Promise<void> {
    return this.engine.leave([...this.engine.connections], 'this end closed its streams');
  }

  // Listening and closing.

  listen(): Promise<void> {
    return this.engine.acceptor.listen();
  }

  localAddr(): string {
    return this.engine.layer.localAddr();
  }

  localAddrs(): string[] {
    return this.engine.layer.localAddrs?.() ?? [this.engine.layer.localAddr()];
  }

  advertiseAddr(): string {
    return this.engine.advertiseAddr();
  }

  advertise(addresses: string | readonly string[] | undefined): void {
    this.engine.advertise(addresses);
  }

  mount<Q extends Protocol>(protocol: Q, options: MountOptions = {}): Transport<Q> {
    this.#refuseWhenOver();
    return new ProtocolTransport<Q>(this.engine, protocol, false, options);
  }

  snapshot(): TransportSnapshot {
    return takeSnapshot(this.engine);
  }

  async close(options: { readonly grace?: number | undefined } = {}): Promise<void> {
    const { grace } = parseOptions(closeOptions, options, 'close');
    for (const release of this.#holds) release();
    this.#holds.clear();
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
    return this.#mount;
  }
}

/** The codes that end a hold unless `stopOn` says otherwise: sign in again, or ask for access. */
const STOP_ON: readonly ErrorCode[] = ['unauthenticated', 'permission_denied'];
/** Errors of the clean-up of an upload are ignored, because its call has failed already. */
const ignore = () => {};

// The targets of calls.

/**
 * Returns the connection behind a Remote.
 *
 * @throws TypeError if it does not belong to this transport.
 */
function ownConnection(engine: TransportEngine, target: Target): Connection {
  const connection =
    typeof target === 'object' && target !== null ? LiveRemote.connectionOf(target) : undefined;
  if (connection?.host === engine) return connection;
  const other = typeof target === 'object' ? 'another object' : String(target);
  const what = connection === undefined ? other : 'a Remote of another transport';
  throw new TypeError(`a target is an address, or a Remote of this transport; got ${what}`);
}

/** Adds `sent: false` and the target to the error of a call that could not be started. */
function unsent(error: unknown, target: Target): unknown {
  return error instanceof TransportError
    ? withDetails(error, { sent: false, target: nameOf(target) })
    : error;
}

function lost(endpoint: string): TransportError {
  const text = `the connection to ${endpoint} is gone; a Remote can be reached only over its own connection`;
  return reasonError('disconnected', text, { target: endpoint, sent: false });
}

// Collects the state of a transport as plain data.

/** Returns a snapshot of an engine. */
function takeSnapshot(engine: TransportEngine): TransportSnapshot {
  const { config } = engine;
  const { certificate } = engine.layer;
  const at = engine.clock.now();
  return {
    at,
    state: engine.state,
    draining: engine.isDraining,
    version: VERSION,
    name: config.name ?? certificate?.name,
    certificateEnd: certificate?.end,
    network: config.network,
    localAddrs: addressesOf(engine),
    protocols: [...engine.mounts.values()]
      .map(({ protocol }) => protocol)
      .map(({ name, version, channel }) => ({ name, version, channel })),
    connections: [...engine.connections].map((connection) => ofConnection(connection, at)),
    dialing: engine.pool.dialing,
    names: engine.pool.dialer.names,
    memory: engine.memory.used,
    incoming: { calls: engine.memory.calls, bytes: engine.memory.bytes },
    handshakes: engine.acceptor.handshakes.size,
    limits: ofLimits(config),
    bytes: engine.bytes,
    waiting: [...engine.mounts.values()].reduce((sum, mount) => sum + mount.waiting, 0),
    calls: { ...engine.calls },
    errors: Object.fromEntries(engine.reporter.errors),
    counters: Object.fromEntries(engine.reporter.counters),
  };
}

/** Returns the addresses that an engine listens on; none if its layer throws (`listening`). */
function addressesOf({ layer, listening }: TransportEngine): string[] {
  try {
    return listening ? (layer.localAddrs?.() ?? [layer.localAddr()]) : [];
  } catch {
    return [];
  }
}

function ofLimits({ limits }: CommonConfig): LimitsSnapshot {
  const { memory, connections, handshakes, total, calls, streams, inbound, outbound } = limits;
  const ofConnection = { calls, streams, inbound, outbound };
  return { memory, connections, handshakes: handshakes.pending, total, ...ofConnection };
}

function ofConnection(connection: Connection, at: number): ConnectionSnapshot {
  const { parts, remote } = connection;
  const { state } = connection.session;
  return {
    id: connection.id,
    endpoint: connection.endpoint,
    direction: connection.direction,
    // A session may have ended while its stream is still closing.
    state: state === 'closed' ? 'closing' : state,
    addr: remote?.addr,
    nodeId: remote?.nodeId,
    name: remote?.hello['name'],
    instance: remote?.instance ?? '',
    rtt: parts.liveness.rtt,
    age: at - connection.since,
    // The counts may start at -0, which makes V8 keep them as doubles; adding 0 turns -0 into 0.
    bytes: { in: connection.input.bytes + 0, out: connection.output.bytes + 0 },
    ...parts.counts,
  };
}
