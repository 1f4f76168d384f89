// The queue of incoming calls of one mounted protocol. It is bounded for each connection, serves
// connections one after another, and gives each call to at most one reader. If there is no reader,
// a request is refused after a second at most, so that its caller does not wait in vain; a one-way
// waits. `Callee` delivers the calls, and removes those that end before they are taken. Tested in
// inbox.test.ts; access.test.ts of transport-inmem tests permissions.

import type { CommonConfig } from '../common-options.ts';
import type { Contexts, ReaderContext } from '../context.ts';
import { stackless, TransportError } from '../errors.ts';
import type { AllowCall, ServerInterceptor } from '../interceptors.ts';
import { bytes, decodingError, workOf } from '../protocol/codec.ts';
import { isProjectProtocol, methodTable, type Protocol } from '../protocol/protocol.ts';
import {
  HANDLER,
  type InCall,
  type InChannel,
  type Mounted,
  unserved,
} from '../session/incoming-calls.ts';
import type { OutCall } from '../session/outgoing-calls.ts';
import {
  DECODED_SHIFT,
  HANDED,
  UNDECODABLE,
  UNDECODABLE_SHIFT,
} from '../session/session-context.ts';
import { HandlingRecord, type Reporter } from './records.ts';

/**
 * The transport as the mount of a protocol and its calls see it. It is an interface because
 * `TransportEngine`, which implements it, is in a higher layer.
 */
export interface RpcHost {
  /** `timeout` in milliseconds is for calls and methods without their own. */
  readonly config: Pick<CommonConfig, 'timeout' | 'interceptors'>;
  /** The async contexts of the runtime, if it has any. */
  readonly contexts: Contexts | undefined;
  readonly ticker: { now(): number };
  /** Wakes the transport when a call may expire. */
  readonly timer: { by(time: number): void };
  /**
   * The number of calls that were made on the transport, which is the place of the next one, and of
   * peers' calls that have arrived there.
   */
  readonly calls: { made: number; served: number };
  /** Keeps the process alive while calls are in flight. */
  readonly alive: { enter(): void; leave(): void };
  /** Passes calls, events and counters to the observer. */
  readonly reporter: Pick<Reporter, 'watch' | 'tell' | 'count' | 'callFailed'>;
  /**
   * Calls `call.forgotten` when its items have become garbage, unless somebody has begun to read
   * them; undefined if nothing watches for garbage.
   */
  readonly watchUnread: ((items: object, call: UnreadCall) => void) | undefined;
  /**
   * Inspects each call of a protocol that arrives, before everything else. Returns false if it ends
   * the connection. Undefined if nobody inspects calls.
   */
  readonly screen: ((call: InCall, protocol: string) => boolean) | undefined;
  /** Reports that a protocol got a reader or lost one. */
  readersChanged(): void;
  /** Closes a connection, because the transport is far above `limits.memory`. */
  relieve(): void;
}

/** A call whose items nobody may have begun to read. */
export type UnreadCall = Pick<OutCall, 'download'> & { forgotten(): void };

/** A reader of calls: a server (`serve`) or a consumer. */
export interface Taker {
  /** The methods it takes; undefined means all methods that no other reader names. */
  readonly methods: ReadonlySet<string> | undefined;
  /** True for a server (`serve`): no other reader may name its methods. */
  readonly exclusive: boolean;
  /** The context in which each of its calls starts; undefined if that does not matter. */
  readonly context?: ReaderContext | undefined;
  /** Decides which calls it gets. */
  readonly allow?: AllowCall | undefined;
  /** True if it could take another call now. */
  readonly ready: boolean;
  /**
   * True while it is being fed: if it becomes ready again meanwhile, the running loop continues.
   * Only `Inbox.feed` sets it.
   */
  feeding: boolean;
  /**
   * Receives a call and its decoded request, which belong to this reader from now on. Called only
   * while it is `ready`. Must not throw.
   */
  take(call: InCall, request: unknown): void;
  /** Called when the transport or its mount closes. */
  close(): void;
}

/** The incoming calls of one mounted protocol, and its readers. */
export class Inbox implements Mounted {
  readonly protocol: Protocol;
  readonly table: Mounted['table'];
  closed = false;
  /** The number of calls that wait for a reader. */
  waiting = 0;
  /** Applied to the handling of the calls. */
  readonly interceptors: readonly ServerInterceptor[];
  /** The rule for calls to all methods. */
  readonly #allow: AllowCall | undefined;
  /** Set once only one-ways are accepted, because the node drains or the mount closes. */
  #refusing: TransportError | undefined = undefined;
  /** True if some calls need permission. */
  #asks = false;
  readonly #takers: Taker[] = [];
  /**
   * The readers of each method, by its index: those that name it, otherwise those that take all
   * methods.
   */
  #takersOf: readonly (readonly Taker[])[] = [];
  /** The channels with waiting calls, in the order of their turns. */
  readonly #ring: InChannel[] = [];
  readonly host: RpcHost;

  /**
   * Reports an error that is not the answer of a handler's call: of its clean-up, thrown after it
   * had answered, of its response's codec, or withheld from the caller (`withhold`).
   */
  readonly handlerFailed = (error: unknown): void =>
    this.host.reporter.tell({ type: 'callbackFailed', callback: 'handler', error });

  constructor(protocol: Protocol, host: RpcHost, allow?: AllowCall) {
    this.protocol = protocol;
    this.table = methodTable(protocol);
    this.host = host;
    this.interceptors = isProjectProtocol(protocol) ? [] : host.config.interceptors.server;
    this.#allow = allow;
    this.#route();
  }

  /**
   * Returns a method of the protocol.
   *
   * @throws TypeError for an unknown name; `what` says who asks.
   */
  method(name: string, what: string) {
    const { byName } = this.table;
    const method = byName.get(name);
    if (method !== undefined) return method;
    throw new TypeError(
      `${what}: protocol '${this.protocol.name}' has no method '${name}'; it has ${[...byName.keys()].join(', ') || 'none'}`,
    );
  }

  /** True if it has a reader. */
  get isRead(): boolean {
    return this.#takers.length > 0;
  }

  /**
   * Refuses each call whose turn comes from now on. One-ways are still handed over, and so are
   * calls that an asynchronous rule was asked about before, if it allows them.
   */
  refuse(error: TransportError): void {
    this.#refusing = error;
    this.#asks = true;
  }

  incoming(call: InCall): void {
    this.host.calls.served++;
    const { screen } = this.host;
    if (screen !== undefined && !screen(call, this.protocol.name)) return;
    this.arrive(call);
    const { memory } = call.channel.context;
    if (memory.used > memory.most) this.host.relieve();
  }

  /**
   * Receives a call from `incoming`, or again after an asynchronous rule has allowed it. It is
   * handed over immediately if its reader is ready, no call of its channel waits, and neither
   * answers (`congested`) nor one-ways (`#crowds`) hold it up.
   */
  arrive(call: InCall): void {
    const { channel, method } = call;
    const takers = this.#takersOf[method.index]!;
    // A free reader is preferred to a busy one.
    const taker =
      takers.length === 1 ? takers[0] : (takers.find(({ ready }) => ready) ?? takers[0]);
    if (taker === undefined || !taker.ready || channel.inbound.length > 0 || channel.congested())
      return this.#queue(taker, call);
    if (method.kind === 'oneway') {
      if (this.#crowds(call)) return this.#queue(taker, call);
    } else if (call.account !== undefined) call.giveBack();
    this.#hand(taker, call);
  }

  #queue(taker: Taker | undefined, call: InCall): void {
    if (taker === undefined && this.#takers.length > 0) return this.#refuse(call);
    if (!this.#enqueue(call)) return;
    if (taker === undefined) this.#awaitReader(call);
    else if (taker.ready) this.feed(taker);
  }

  /** Adds a reader, but not after `close`. Throws a TypeError if a server would share a method. */
  add(taker: Taker): void {
    this.#check(taker);
    this.#takers.push(taker);
    this.#route();
    this.host.readersChanged();
    this.#refuseUnserved();
    this.feed(taker);
  }

  /** Finds the readers of each method, and whether calls need permission. */
  #route(): void {
    const rules = [this.#allow, this.#refusing, ...this.#takers.map(({ allow }) => allow)];
    this.#asks = rules.some((rule) => rule !== undefined);
    const general: Taker[] = [];
    const named: Taker[][] = [];
    for (const taker of this.#takers) {
      if (taker.methods === undefined) general.push(taker);
      else
        for (const name of taker.methods)
          (named[this.table.byName.get(name)!.index] ??= []).push(taker);
    }
    this.#takersOf = Array.from(this.table.byName.values(), ({ index }) => named[index] ?? general);
  }

  /**
   * Refuses the waiting calls that no reader takes. Calls that do have a reader now wait without
   * the time limit of unread calls.
   */
  #refuseUnserved(): void {
    for (const channel of [...this.#ring]) {
      for (const call of channel.inbound) {
        if (this.#takersOf[call.method.index]!.length > 0) {
          call.refuseBy(Number.POSITIVE_INFINITY);
          continue;
        }
        this.remove(call);
        this.#refuse(call);
      }
    }
  }

  remove(call: InCall): void {
    if (call.channel.inbound.remove(call)) this.withdrawn(call);
  }

  /**
   * Removes a reader. Calls that it has not received go to the other readers, or wait for a new one
   * if it was the last. Calls that no other reader takes are refused.
   */
  drop(taker: Taker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
    this.#route();
    this.host.readersChanged();
    if (this.#takers.length > 0) {
      this.#refuseUnserved();
      return this.feedAll();
    }
    for (const channel of this.#ring) for (const call of channel.inbound) this.#awaitReader(call);
  }

  /**
   * Sets the time at which a call without a reader is refused, well before its deadline. A one-way
   * continues to wait, bounded by its credit.
   */
  #awaitReader(call: InCall): void {
    if (call.method.kind === 'oneway') return;
    const now = this.host.ticker.now();
    call.refuseBy(now + Math.min(PATIENCE, (call.due - now) / 2));
    call.carrier.expires(call, call.refuseAt);
  }

  /** Hands waiting calls to a reader while it is ready. */
  feed(taker: Taker): void {
    if (this.waiting === 0 || taker.feeding) return;
    taker.feeding = true;
    while (taker.ready) {
      const call = this.#next(taker);
      if (call === undefined) break;
      this.#hand(taker, call);
    }
    taker.feeding = false;
  }

  /**
   * Feeds all readers, because one has left, or there is room again for answers (`congested`) or
   * for one-ways (`uncrowded`).
   */
  feedAll(): void {
    for (const taker of [...this.#takers]) this.feed(taker);
  }

  /**
   * Adjusts the counts after a waiting call was removed from its channel: by `remove`, or by the
   * callee because its caller is gone, its time is up or its protocol closes. Its credit must be
   * given back afterwards, because the account tells how the call was counted.
   */
  withdrawn(call: InCall): void {
    const { channel } = call;
    this.waiting--;
    channel.context.usage.waits(-1, call.cost, call.method.kind !== 'oneway');
    if (call.account === undefined) channel.countQueued(-1, call.cost);
    if (channel.inbound.length === 0) this.#ring.splice(this.#ring.indexOf(channel), 1);
  }

  /** Stops all reading and refuses waiting calls with `error`. */
  close(error: TransportError): void {
    this.closed = true;
    for (const channel of [...this.#ring]) {
      for (const call of channel.inbound) {
        this.remove(call);
        this.#fail(call, error);
      }
    }
    const takers = this.#takers.splice(0);
    this.#route();
    for (const taker of takers) taker.close();
  }

  #check(taker: Taker): void {
    for (const other of this.#takers) {
      if (!taker.exclusive && !other.exclusive) continue;
      for (const name of taker.methods ?? []) {
        if (other.methods?.has(name) !== true) continue;
        throw new TypeError(
          `method '${name}' of '${this.protocol.name}' already has a reader: calls of a served method go only to its handler`,
        );
      }
    }
  }

  /**
   * Returns the next call for a reader: connections take turns, and the calls of one channel for
   * this reader stay in order. But requests pass one-ways that `#crowds` holds up.
   */
  #next(taker: Taker): InCall | undefined {
    for (let turn = this.#ring.length; turn > 0; turn--) {
      const channel = this.#ring[0]!;
      if (this.#ring.length > 1) this.#ring.push(this.#ring.shift()!);
      for (
        let call = channel.inbound.first;
        call !== undefined;
        call = call.after as InCall | undefined
      ) {
        if (!this.#takersOf[call.method.index]!.includes(taker)) continue;
        if (channel.congested()) break;
        if (this.#crowds(call)) continue;
        this.remove(call);
        if (call.method.kind !== 'oneway') call.giveBack();
        return call;
      }
    }
    return undefined;
  }

  #enqueue(call: InCall): boolean {
    const { channel } = call;
    const { inbound } = channel.context.limits;
    // A call that an account has paid for is bounded by its credit instead.
    if (call.account === undefined) {
      if (
        channel.queued >= inbound.calls ||
        (channel.queued > 0 && channel.queuedBytes + call.cost > inbound.bytes)
      ) {
        this.host.reporter.count('refusedCall', 1, call.from);
        const message = `${channel.queued} calls of '${this.protocol.name}' already wait for a reader on this peer (limits.inbound)`;
        call.carrier.fail(call, stackless('resource_exhausted', message), true);
        return false;
      }
      channel.countQueued(1, call.cost);
    }
    channel.context.usage.waits(1, call.cost, call.method.kind !== 'oneway');
    if (channel.inbound.length === 0) this.#ring.push(channel);
    call.widen();
    const { watch } = this.host.reporter;
    if (watch !== undefined) call.waitsSince(watch.now);
    channel.inbound.push(call);
    this.waiting++;
    return true;
  }

  /**
   * Returns true if as many one-ways of its channel are being handled as `limits.calls` or
   * `limits.total` allow: then this call waits until one of them is done.
   */
  #crowds({ method, channel }: InCall): boolean {
    if (method.kind !== 'oneway' || channel.oneways === 0) return false;
    if (channel.oneways < channel.context.limits.calls && !channel.context.usage.hasTooMany)
      return false;
    channel.crowd(true);
    return true;
  }

  /** Feeds the readers, because another one-way of the channel can now be handled. */
  uncrowded(channel: InChannel): void {
    channel.crowd(false);
    this.feedAll();
  }

  #hand(taker: Taker, call: InCall): void {
    if (this.#asks && !this.#permits(call, taker.allow)) return;
    const { method, payload } = call;
    const { context } = call.channel;
    context.spend(HANDED);
    let request: unknown = payload;
    if (method.request.decode !== bytes.decode) {
      context.spend(payload.length >> DECODED_SHIFT);
      try {
        request = method.request.decode(payload);
      } catch (error) {
        return this.#undecodable(call, decodingError(method.request, method.what.request, error));
      }
    }
    if (taker.context === undefined) this.#give(taker, call, request);
    else taker.context(this.#give, taker, call, request);
  }

  readonly #give = (taker: Taker, call: InCall, request: unknown): void => {
    const { watch } = this.host.reporter;
    if (watch === undefined) this.#take(taker, call, request);
    else this.#giveObserved(watch, taker, call, request);
  };

  /** (With this closure, `#give` would slow down the calls that nobody observes.) */
  #giveObserved(watch: Reporter, taker: Taker, call: InCall, request: unknown): void {
    const record = new HandlingRecord(watch, this.protocol.name, call);
    watch.run(record, () => this.#take(taker, call, request));
  }

  /**
   * Lets the reader take the call if it is still ready: a rule, the codec or the observer may have
   * stopped it. Otherwise the call is refused, or dropped if it is a one-way.
   */
  #take(taker: Taker, call: InCall, request: unknown): void {
    if (taker.ready) taker.take(call, request);
    else this.#fail(call, unserved(call.method));
  }

  /** Refuses a call that its caller is not allowed to make, or that came after `refuse`. */
  #deny(call: InCall, error: TransportError): void {
    // A caller need not know that calls are refused by now, so a call that comes then is no abuse.
    if (this.#reject(call, error) && error !== this.#refusing) call.channel.context.refused();
  }

  /** Refuses a request that its codec can't decode. */
  #undecodable(call: InCall, error: TransportError): void {
    const { context } = call.channel;
    const work = Math.max(call.payload.length, workOf(error));
    this.#reject(call, error);
    context.spend(UNDECODABLE + work);
    context.refused(work >> UNDECODABLE_SHIFT);
  }

  /** Fails a call that its reader does not get, and observes that. */
  #reject(call: InCall, error: TransportError): boolean {
    const { watch } = this.host.reporter;
    if (watch === undefined) return this.#fail(call, error);
    const record = new HandlingRecord(watch, this.protocol.name, call);
    return watch.run(record, () => this.#fail(call, error));
  }

  /** Fails a call that reaches no reader. Returns false for a one-way, which is dropped. */
  #fail(call: InCall, error: TransportError): boolean {
    if (call.method.kind !== 'oneway') {
      call.giveBack();
      call.carrier.fail(call, error, true);
      return true;
    }
    call.observer?.failed(error);
    this.#dropOneway(call);
    return false;
  }

  /** Refuses a call that no reader takes. */
  #refuse(call: InCall): void {
    if (call.method.kind === 'oneway') return this.#dropOneway(call);
    this.host.reporter.count('refusedCall', 1, call.from);
    this.#fail(call, unserved(call.method));
    call.channel.context.refused();
  }

  #dropOneway(call: InCall): void {
    call.giveBack();
    this.host.reporter.count('onewayDropped', 1, call.from);
  }

  // Permissions: the rules of the protocol and of its server, applied to each call of a peer.
  // While the promise of a rule is pending, its call waits.

  /**
   * Returns true if the caller may make the call. Otherwise the call was refused, or it waits.
   *
   * @param rule the rule of the reader.
   */
  #permits(call: InCall, rule: AllowCall | undefined): boolean {
    if (call.permitted) return true;
    if (this.#refusing !== undefined && call.method.kind !== 'oneway') {
      this.#deny(call, this.#refusing);
      return false;
    }
    const answer = this.#ask(call, this.#allow, rule);
    if (answer === true) return true;
    if (answer instanceof TransportError) this.#deny(call, answer);
    else this.#await(call, answer);
    return false;
  }

  /**
   * Asks the rules one after the other, until one does not allow the call. The promise that it may
   * return never rejects.
   */
  #ask(call: InCall, rule: AllowCall | undefined, next?: AllowCall): Answer | Promise<Answer> {
    if (rule === undefined) return next === undefined ? true : this.#ask(call, next);
    const { from, method, metadata } = call;
    const given = metadata === undefined ? NO_METADATA : Object.freeze(metadata);
    try {
      const answer = rule(from!, method.name, given);
      if (typeof answer === 'boolean') return answer ? this.#ask(call, next) : denied(call);
      return Promise.resolve(answer).then(
        (isAllowed) => (isAllowed === true ? this.#ask(call, next) : denied(call)),
        (error) => this.#refusalFor(error, call),
      );
    } catch (error) {
      return this.#refusalFor(error, call);
    }
  }

  #refusalFor(error: unknown, call: InCall): TransportError {
    const withheld = withhold(call, error);
    if (withheld === undefined && error instanceof TransportError) return error;
    this.host.reporter.tell({ type: 'callbackFailed', callback: 'allow', error });
    return withheld ?? denied(call);
  }

  /** Lets a call wait for the answer of a rule; it counts as being handled meanwhile. */
  #await(call: InCall, asked: PromiseLike<Answer>): void {
    const { channel, payload } = call;
    let isWaiting = true;
    const ended = () => {
      if (isWaiting) call.handled();
      isWaiting = false;
    };
    call.run(HANDLER);
    call.whenGone(ended);
    void asked.then((answer) => {
      ended();
      if (channel.crowded) this.uncrowded(channel);
      if (this.closed && call.method.kind === 'oneway') return this.#dropOneway(call);
      if (this.closed || (!call.open && call.method.kind !== 'oneway')) return;
      // `run` released the payload.
      call.ruled(payload, answer === true);
      if (answer !== true) return this.#deny(call, answer);
      this.arrive(call);
    });
  }
}

/** True if the call is allowed; otherwise the error for its caller. */
type Answer = true | TransportError;

/** The longest time, in milliseconds, that a request waits while its protocol has no reader. */
const PATIENCE = 1_000;

function denied({ method }: InCall): TransportError {
  const text = `'${method.full}': this peer may not call it`;
  return stackless('permission_denied', text, { reason: 'denied' });
}

/** Shared by all calls without metadata. */
export const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

// The errors of other calls, which a handler or a rule passes on: their callers must not see them.

/**
 * Returns a neutral error to send instead of the error of another call, which has a target;
 * undefined for any other error, and for a one-way, which gets no answer. Only a deadline that this
 * call has handed on stays one.
 */
export function withhold(call: InCall, error: unknown): TransportError | undefined {
  if (!(error instanceof TransportError) || error.target === undefined) return undefined;
  const { due, method } = call;
  if (method.kind === 'oneway') return undefined;
  const isItsDeadline =
    due < Number.POSITIVE_INFINITY && (dues.get(error) ?? 0) >= due - SAME_DEADLINE;
  const code = isItsDeadline ? 'deadline_exceeded' : 'internal';
  const text = `'${method.full}': another call that was made to answer it has failed; see the log of the node`;
  return stackless(code, text, { cause: error });
}

/**
 * The deadlines of calls that have failed with `deadline_exceeded`, by their errors. A handler may
 * have made such a call for a caller with the same deadline.
 */
export const dues = new WeakMap<TransportError, number>();

/**
 * A handler computes the timeout of another call from its own deadline a little later than the call
 * begins. A deadline that is later than its own, or earlier by at most this number of milliseconds,
 * counts as the same.
 */
const SAME_DEADLINE = 100;
