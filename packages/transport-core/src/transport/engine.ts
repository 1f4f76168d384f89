// The engine behind a ProtocolTransport and its mounts: one stream layer, its connections, their
// pool, the readers of its events, its readiness to serve, and one timer for everything.
//
// Owns the mounts, the connections, the identity that peers see, and the state of serving and
// closing. Users reach it through ProtocolTransport, other packages through manage.ts. Connections,
// the pool and the acceptor report to it as `ConnectionHost`, mounts and calls as `RpcHost`: these
// interfaces describe the members that have no comment here. It tells the observer, the membership
// and the readers of `connections()`. It has no test of its own: the testkit runs on each backend,
// and transport-tcp (drained.test.ts) and resilience (health.test.ts) test the drain.

import { contexts } from '#context';
import { callback, flag, optional, optionsSchema, parseOptions, withDefault } from '../config.ts';
import { reasonError, stackless, TransportError, withoutStack } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { isProjectProtocol, type Protocol } from '../protocol/protocol.ts';
import { randomBytes } from '../random.ts';
import type { Remote } from '../remote.ts';
import type { OutCall } from '../session/outgoing-calls.ts';
import type { LeaveReason } from '../session/session.ts';
import {
  Connection,
  type ConnectionHost,
  type ConnectionInit,
  connectionOf,
} from '../stream/connection.ts';
import type { Membership } from '../stream/membership.ts';
import { Pool } from '../stream/pool.ts';
import type { StreamConnection } from '../stream/stream-layer.ts';
import { DeadlineTimer, KeepAlive, TransportResources } from '../stream/transport-resources.ts';
import { environmentAsksForStacks, systemClock } from '../system-runtime.ts';
import { encodeProtocols, HELLO_TEXT_LIMIT, helloProtocol, hexOfBytes } from '../wire/hello.ts';
import { utf8Length } from '../wire/metadata.ts';
import { enqueue } from './connection-events.ts';
import { checkAdvertised } from './scheme-layer.ts';
import type { ConnectionEvent, MountOptions } from './types.ts';
import { watchUnread } from './unread-items.ts';

// Apart from the others, because the order of modules in a page's bundle counts: with all imports
// in alphabetical order, the bundle takes 0.7 kB more after gzip.

import { EventHub } from '../event-hub.ts';
import { type Call, Mount } from '../rpc/call.ts';
import { Acceptor } from '../stream/accept.ts';

const mountOptions = optionsSchema({
  allow: optional(callback<AllowCall>()),
  drains: withDefault(flag(), true),
});

/**
 * The shared state of a transport and all its mounts. Its parts receive it before it is complete:
 * their constructors may use only what TransportResources has set.
 */
export class TransportEngine extends TransportResources implements ConnectionHost {
  /** Stays 'open' while a drained transport leaves its connections; see `#leaveFirst`. */
  state: 'open' | 'closing' | 'closed' = 'open';
  readonly mounts = new Map<number, Mount>();
  readonly network = this.config.network;
  readonly instance = hexOfBytes(randomBytes(this.random, 16));
  /** The address that replaces the layer's own; undefined for the layer's own. */
  #advertised: string | undefined = undefined;
  /** All connections whose stream is not closed yet, in the order in which they were made. */
  readonly connections = new Set<Connection>();
  /** Accepted connections that ended before they were up and still close; the oldest end first. */
  readonly #refused = new Set<Connection>();
  screen: ConnectionHost['screen'] = undefined;
  /** True for good once `drain` was called. */
  isDraining = false;
  /** The listeners that have failed and do not listen yet. */
  readonly #failed = new Set<object>();
  /** Returns the status of a service; undefined if no health is served. */
  #health: ((service: string) => string) | undefined = undefined;
  /** Called after each change of what is served; must not throw, or `close` would stop halfway. */
  readonly #servingListeners = new Set<() => void>();
  /** True once peers' new calls are refused because the node drains. */
  refuses = false;
  /** The names of the protocols whose calls go on although the node drains. */
  #except: readonly string[] = [];
  /** True if the errors of calls and dials end with the stacks of their callers. */
  readonly callerStacks = this.config.callerStacks ?? environmentAsksForStacks();
  readonly alive = new KeepAlive(this.clock);
  readonly contexts = contexts;
  // Only with the system's clock: a run on another clock must be repeatable, and the time at which
  // an object becomes garbage is not.
  readonly watchUnread = this.clock === systemClock ? watchUnread : undefined;
  readonly #events = new EventHub<ConnectionEvent>(undefined, enqueue);
  readonly timer = new DeadlineTimer(
    this.clock,
    (now) => this.#ring(now),
    (lateness) => {
      for (const { session } of this.connections) session.excuse(lateness);
    },
  );
  readonly pool = new Pool(this);
  readonly acceptor = new Acceptor(this);
  #ids = 0;
  /** The number of bytes received and sent over connections that have ended. */
  readonly #past = { in: 0, out: 0 };
  /**
   * The connections whose session has not ended, without those that were refused because there are
   * too many. Callers of `add` ask `full` right before, so limits.connections is never exceeded.
   */
  readonly #live = new Set<Connection>();
  /** The time at which the calls in flight of a closing transport have had their grace. */
  #graceDue = Number.POSITIVE_INFINITY;
  #ending: Promise<void> | undefined = undefined;

  /** Bytes received and sent since the start. */
  get bytes(): { readonly in: number; readonly out: number } {
    const sum = { ...this.#past };
    for (const { input, output } of this.connections) {
      sum.in += input.bytes;
      sum.out += output.bytes;
    }
    return sum;
  }

  // The identity that the transport presents to every peer.

  nodeIdFor(proven: string | undefined): string {
    const { membership } = this;
    return proven === undefined && membership?.asserts === false ? '' : (membership?.nodeId ?? '');
  }

  get addr(): string {
    if (!this.listening) return '';
    try {
      return this.advertiseAddr();
    } catch {
      // The listener of the address has failed and has not been restarted yet.
      return '';
    }
  }

  /** Returns the address that peers see; throws what the layer throws, see `listening`. */
  advertiseAddr(): string {
    return this.#advertised ?? this.layer.advertiseAddr();
  }

  /**
   * Replaces the address, while the transport runs; undefined restores the layer's own.
   *
   * @throws TypeError for one that can't be dialed, and above `HELLO_TEXT_LIMIT` bytes in all.
   */
  advertise(addresses: string | readonly string[] | undefined): void {
    const given = typeof addresses === 'string' ? addresses.split(',') : (addresses ?? []);
    const list = given.map((address) => address.trim());
    for (const address of list) {
      if (address === '') throw new TypeError('advertise: an address is empty');
      checkAdvertised(this.layer, address, 'advertise');
    }
    const advertised = list.join(',');
    const length = utf8Length(advertised);
    if (length > HELLO_TEXT_LIMIT)
      throw new TypeError(`advertise: ${length} bytes of addresses; at most ${HELLO_TEXT_LIMIT}`);
    const before = this.addr;
    this.#advertised = advertised === '' ? undefined : advertised;
    if (this.addr !== before) this.announce();
  }

  // Mounts, listening and dialing.

  /** Mounts a protocol. If this throws (TypeError, `invalid_argument`), nothing is mounted. */
  mount(protocol: Protocol, options: MountOptions): Mount {
    const { allow, drains } = parseOptions(mountOptions, options, 'mount');
    const mount = new Mount(protocol, this, allow, drains);
    if (this.refuses && this.#withdraws(mount)) mount.refuse(DRAINING);
    const { channel, name } = protocol;
    if ([...this.mounts.values()].some((other) => other.protocol.name === name))
      throw new TypeError(`a protocol named '${name}' is already mounted on this transport`);
    const taken = this.mounts.get(channel)?.protocol.name;
    if (taken !== undefined) {
      let free = 0x20;
      while (this.mounts.has(free)) free++;
      throw new TypeError(
        `channel ${channel} of '${name}' is taken by '${taken}' on this transport: give one of them another channel on all nodes, such as channel: ${free}`,
      );
    }
    const protocols = [...this.mounts.values(), mount].map((one) => helloProtocol(one.protocol));
    encodeProtocols({ protocols, addr: this.addr }); // Throws if peers would refuse the list.
    this.mounts.set(channel, mount);
    if (this.state !== 'open') mount.shut();
    this.announce();
    this.servingChanged();
    return mount;
  }

  /** Puts a membership in charge of admission and of targets `node:<id>`; undefined ends that. */
  join(membership: Membership | undefined): void {
    this.membership = membership;
    this.screen =
      membership?.screen &&
      (({ from, method, payload }, protocol) => {
        const unfit = membership.screen!(from!, protocol, method.name, payload);
        if (unfit !== undefined) connectionOf(from!).session.break(unfit);
        return unfit === undefined;
      });
  }

  /** Sends the protocols and the address, which have changed, to the peers. */
  announce(): void {
    this.ticker.run(() => {
      for (const { session } of this.connections) session.announce();
    });
    this.readersChanged();
  }

  get isRead(): boolean {
    return [...this.mounts.values()].some(({ isRead }) => isRead);
  }

  readersChanged(): void {
    for (const connection of this.connections) connection.ref();
  }

  /** True while it listens, or a failed listener waits to; its addresses throw meanwhile. */
  get listening(): boolean {
    return this.state === 'open' && this.acceptor.listening;
  }

  retire(connection: Connection): void {
    void this.leave([connection], 'its address is no longer listed for the name that was dialed');
  }

  add(stream: StreamConnection, init: ConnectionInit): Connection {
    const id = `${init.direction}-${++this.#ids}`;
    const connection = new Connection(this, stream, init, id);
    this.connections.add(connection);
    if (connection.counts) this.#live.add(connection);
    return connection;
  }

  full(): TransportError | undefined {
    const { size } = this.#live;
    if (size < this.config.limits.connections) return undefined;
    const message = `${size} connections are open here, limits.connections allows no more`;
    return reasonError('full', message, { unreachable: false });
  }

  // Reports of connections.

  /** Called when the hello of a connection is complete. */
  up(connection: Connection): void {
    const { endpoint, direction, since } = connection;
    const remote = connection.remote!;
    this.reporter.handshakeEnded({ endpoint, direction, remote, error: undefined }, since);
    this.#report({ type: 'up', remote });
    this.membership?.up(remote);
    // Last, because it starts the calls that wait for the target. The observer or the membership
    // may have ended the connection.
    if (connection.target !== undefined && !connection.over) this.pool.add(connection);
    // Or they have begun to close it: calls that wait for room are sent elsewhere.
    if (!connection.isUp) this.leaving(connection, connection.caller.takeWaiting());
  }

  /** Called when a connection takes no new calls, and when it ends, with those that waited. */
  leaving(connection: Connection, waiting: OutCall[]): void {
    // First, because the pool or an observer may dial again in its place.
    if (connection.over) this.#live.delete(connection);
    this.pool.forget(connection);
    for (const call of waiting) this.#again(call as Call, undefined);
  }

  down(connection: Connection, error: TransportError, wasUp: boolean, unsent: OutCall[]): void {
    this.#live.delete(connection);
    const { remote, endpoint, direction, since } = connection;
    if (!wasUp) this.reporter.handshakeEnded({ endpoint, direction, remote, error }, since);
    if (direction === 'in' && !wasUp) {
      this.membership?.turnedAway?.(endpoint, error, remote);
      this.#refused.add(connection);
      const [oldest] = this.#refused;
      if (this.#refused.size > this.config.limits.handshakes.pending * REFUSED) {
        this.#refused.delete(oldest!);
        oldest!.output.destroy(error);
      }
    }
    if (remote !== undefined) this.membership?.down(remote, error);
    if (wasUp && remote !== undefined) {
      this.#report({ type: 'down', remote, cause: error });
      // (For an accepted connection, its slot has already reported this.)
    } else if (direction === 'out') {
      const own = withoutStack(error, { target: connection.target });
      this.reporter.tell({ type: 'rejected', endpoint, direction, error: own });
    }
    for (const call of unsent) this.#again(call as Call, error);
  }

  gone(connection: Connection): void {
    this.#past.in += connection.input.bytes;
    this.#past.out += connection.output.bytes;
    this.connections.delete(connection);
    this.#refused.delete(connection);
  }

  /**
   * Sends a call over another connection, in order, because no handler can have seen it. A call
   * that was lost with its connection (`error` is set) moves once; one that waited for room at most
   * eight times, or a peer that leaves at once would be dialed without end. Calls to a Remote fail,
   * because only a string target can be dialed again.
   */
  #again(call: Call, error: TransportError | undefined): void {
    if (call.done) return;
    if (this.state !== 'open') return call.failed(CLOSED);
    if (typeof call.to !== 'string' || call.moves >= MOVES)
      return call.failed(withoutStack(error ?? GONE, { sent: false }));
    call.move(error === undefined ? 1 : MOVES);
    this.pool.restart(call);
  }

  /** Closes the connection that holds the most, because `Memory.most` is exceeded. */
  relieve(): void {
    let most: Connection | undefined;
    for (const connection of this.connections)
      if (most === undefined || connection.parts.held > most.parts.held) most = connection;
    const held = `${most?.parts.held} of the ${this.memory.limit} bytes of limits.memory`;
    most?.session.break(new TransportError('resource_exhausted', `this connection held ${held}`));
  }

  // Calls.

  /** Returns the remotes of the connections that take new calls. */
  remotes(): Remote[] {
    return [...this.connections].filter(({ isUp }) => isUp).map(({ remote }) => remote!);
  }

  #ring(now: number): number {
    return this.ticker.run(() => {
      let next = this.pool.wake(now);
      // Only connections that are due are woken: of ten thousand idle connections, one or none.
      for (const connection of this.connections) {
        let { due } = connection;
        if (now >= due) {
          connection.wake(now);
          due = connection.due;
        }
        if (due < next) next = due;
      }
      if (now >= this.#graceDue) this.#endGrace();
      return Math.min(next, this.#graceDue);
    });
  }

  // Events.

  /**
   * Returns an iterator over connections coming up and going down, starting with the live ones, and
   * over failed dials.
   */
  follow(): AsyncIterableIterator<ConnectionEvent> {
    return this.#events.follow(this.remotes().map((remote) => ({ type: 'up', remote })));
  }

  /** Reports a connection to the observer and to the readers of `connections()`. */
  #report(event: Exclude<ConnectionEvent, { type: 'failed' }>): void {
    this.reporter.tell(event);
    this.#events.tell(event);
  }

  dialFailed(target: string, error: TransportError, retryIn: number | undefined): void {
    this.reporter.tell({ type: 'dialFailed', target, error });
    if (this.pool.connectionsOf(target).length === 0)
      this.#events.tell({ type: 'failed', target, error, retryIn });
  }

  listenFailed(listener: object, error: TransportError, retryIn: number): void {
    this.#failed.add(listener);
    this.reporter.tell({ type: 'listenFailed', error, retryIn });
    this.servingChanged();
  }

  listensAgain(listener: object): void {
    if (this.#failed.delete(listener)) this.servingChanged();
  }

  /** True if the transport is open, does not drain, and waits for no listener to listen again. */
  get isReady(): boolean {
    return this.state === 'open' && !this.isDraining && this.#failed.size === 0;
  }

  // Serving.

  /** Sets the function that returns the status of a service; undefined if no health is served. */
  set health(health: ((service: string) => string) | undefined) {
    this.#health = health;
    this.servingChanged();
  }

  /** Returns false if the node has withdrawn a service, or if its status is 'not_serving'. */
  isServing(service: string): boolean {
    return !this.hasWithdrawn(service) && this.#health?.(service) !== 'not_serving';
  }

  /**
   * Calls a function, which must not throw, whenever the readiness of the node or of a service may
   * have changed, until the returned function is called.
   */
  onServingChanged(listener: () => void): () => void {
    // A wrapper, so that a function that is registered twice is called twice.
    const mine = () => listener();
    this.#servingListeners.add(mine);
    return () => void this.#servingListeners.delete(mine);
  }

  servingChanged(): void {
    for (const listener of this.#servingListeners) listener();
  }

  /**
   * Reports that the node drains and, if `refuse` is true, refuses peers' new calls from now on,
   * except one-ways and the calls of protocols that do not drain (`Mount.drains`, always false for
   * Trunkline's own) or have one of these names. Can't be undone: a later drain must not except
   * what an earlier one refuses.
   */
  drain(refuse: boolean, except: readonly string[]): void {
    this.isDraining = true;
    this.#except = except;
    this.servingChanged();
    if (!refuse) return;
    this.refuses = true;
    for (const mount of this.mounts.values()) if (this.#withdraws(mount)) mount.refuse(DRAINING);
  }

  /** Returns true for a protocol whose new calls are refused when the node drains. */
  #withdraws({ drains, protocol }: Mount): boolean {
    return drains && !this.#except.includes(protocol.name);
  }

  /**
   * Returns true while the node drains, except for a program's protocol whose calls go on. It is
   * also true for Trunkline's own protocols, by which tools tell that a node drains.
   */
  hasWithdrawn(service: string): boolean {
    if (!this.isDraining) return false;
    const mount = [...this.mounts.values()].find(({ protocol }) => protocol.name === service);
    return mount === undefined || isProjectProtocol(mount.protocol) || this.#withdraws(mount);
  }

  /**
   * Stops listening, and gracefully leaves up to `most` accepted connections. Returns 0 only if no
   * accepted connection is left; one that is in its handshake may count twice.
   */
  leaveAccepted(most: number): number {
    this.acceptor.retire();
    const accepted = [...this.connections].filter(({ direction }) => direction === 'in');
    const up = accepted.filter(({ isUp }) => isUp).slice(0, most);
    void this.leave(up, 'this node goes out of service', 'draining');
    return accepted.length + this.acceptor.handshakes.size;
  }

  /** The number of peers' calls that are open or handled, except those that go on in a drain. */
  get inFlight(): number {
    let sum = 0;
    for (const mount of this.mounts.values())
      if (this.#withdraws(mount)) sum += this.#incoming(mount);
    return sum;
  }

  /** Returns the number of peers' calls to a protocol that are open or handled. */
  #incoming({ protocol }: Mount): number {
    let sum = 0;
    for (const { parts } of this.connections) sum += parts.incoming(protocol.channel);
    return sum;
  }

  // Closing.

  /**
   * Drains and closes connections; resolves when their streams are closed. A connection that is in
   * its hello is not waited for; it leaves once it is up.
   */
  leave(
    connections: readonly Connection[],
    text: string | undefined,
    reason: LeaveReason = 'disconnected',
  ): Promise<void> {
    const closing = connections.filter(({ session }) => session.state !== 'opening');
    this.ticker.run(() => {
      const own = text ?? 'this end disconnected';
      const told = text ?? 'the other end disconnected';
      for (const { session } of connections) session.leave(reason, own, told);
    });
    const gone = closing.map((connection) => connection.whenGone());
    return this.alive.during(Promise.all(gone).then(() => undefined));
  }

  /**
   * Closes the transport: calls in flight get up to `grace` milliseconds, then everything closes.
   * Only the `grace` of the first call counts; later calls wait for the same end.
   */
  close(grace: number): Promise<void> {
    this.#ending ??= this.isDraining && grace > 0 ? this.#leaveFirst(grace) : this.#end(grace);
    return this.alive.during(this.#ending, true);
  }

  /**
   * Closes a transport that was drained. It accepts no more connections, and leaves its open
   * connections in the same way as a transport that stays open. Both ends then wait for each other,
   * so calls that are on their way here are still refused with `sent: false`.
   */
  async #leaveFirst(grace: number): Promise<void> {
    const { acceptor, clock, connections } = this;
    const until = clock.now() + grace;
    acceptor.stop().catch(() => {});
    const left = new AbortController();
    const leaving = async () => {
      // A connection in its hello is left once it is up: its peer may have sent calls already.
      while (connections.size > 0 && !left.signal.aborted) {
        const up = [...connections].filter(({ isUp }) => isUp);
        if (up.length === 0) await clock.sleep(STEP, left.signal);
        else await this.leave(up, 'this node goes out of service');
      }
      left.abort();
    };
    leaving().catch(() => {});
    await clock.sleep(grace, left.signal).catch(() => {});
    left.abort();
    await this.#end(connections.size === 0 ? 0 : Math.max(until - clock.now(), 0));
  }

  /**
   * Closes everything. The state changes first: from then on, no connection is accepted, and calls
   * of lost connections fail. Mounts refuse new calls before waiting calls fail, because an
   * observer may answer a failure with a new call. The timer runs until all streams are closed: it
   * ends the grace period, and slow sessions. An error of the layer's `close` is ignored.
   */
  async #end(grace: number): Promise<void> {
    this.state = 'closing';
    this.servingChanged();
    this.membership?.closed();
    for (const mount of this.mounts.values()) mount.shut();
    const stopped = this.acceptor.stop().catch(() => {});
    this.pool.close(CLOSED);
    this.ticker.run((now) => {
      for (const { session } of [...this.connections]) session.shut(grace);
      this.#graceDue = now + grace;
      if (grace === 0) this.#endGrace();
      else this.timer.by(this.#graceDue);
    });
    await Promise.all([...this.connections].map((connection) => connection.whenGone()));
    await stopped;
    // If the connections have ended before the grace period, the mounts are not closed yet.
    this.#endGrace();
    this.timer.stop();
    this.aborts.finish();
    this.scheduler.stop();
    this.state = 'closed';
    this.#events.end();
  }

  /** Ends the readers, and refuses the calls that wait for one. A second call does nothing. */
  #endGrace(): void {
    this.#graceDue = Number.POSITIVE_INFINITY;
    for (const mount of this.mounts.values())
      if (!mount.closed)
        mount.close(reasonError('closed', 'the other end has closed its transport'));
  }

  /**
   * Closes one protocol. New calls from here fail, and peers' calls that were not handed over are
   * refused, except one-ways and calls that an asynchronous rule allows later. All others get up to
   * `grace` milliseconds to finish; then calls made here fail, and peers' calls are aborted.
   */
  async closeMount(mount: Mount, grace: number): Promise<void> {
    const { clock } = this;
    const { protocol } = mount;
    const text = `protocol '${protocol.name}' was closed on this node`;
    const refusal = new TransportError('unimplemented', text);
    mount.shut();
    mount.refuse(refusal);
    const until = clock.now() + grace;
    while (mount.open + this.#incoming(mount) > 0 && clock.now() < until)
      await clock.sleep(Math.min(STEP, until - clock.now()));
    this.ticker.run(() => {
      // First, so that calls which still wait are refused unsent: `endChannel` aborts the others.
      if (!mount.closed) mount.close(refusal);
      this.pool.failChannel(protocol.channel, mount.over!);
      for (const { session } of this.connections) session.endChannel(protocol.channel, mount.over!);
      if (this.mounts.get(protocol.channel) !== mount) return;
      this.mounts.delete(protocol.channel);
      this.announce();
      this.servingChanged();
    });
  }
}

const DRAINING = stackless('unavailable', 'this node is being taken out of service', {
  reason: 'draining',
});
const GONE = reasonError('disconnected', 'the connection is closing', { sent: false });
/** The number of times that a call moves to another connection; see `#again`. */
const MOVES = 8;
/**
 * The number of refused connections that may stay open until their peers close them, for each
 * handshake that may run (`limits.handshakes.pending`). If there are more, the oldest is reset.
 */
const REFUSED = 4;
/** The interval, in milliseconds, between checks for connections or calls that have ended. */
const STEP = 10;
/** The error of calls that were made before the transport closed. */
const CLOSED = new TransportError('shutdown', 'this transport was closed', { sent: false });
