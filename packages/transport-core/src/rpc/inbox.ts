// Where the calls of one mounted protocol wait for a reader: bounded a connection, in turn over connections, each to exactly one reader.
// Without any reader a call is refused after a second at most, so that its caller does not wait for nobody.

import { stackless, type TransportError } from '../errors.ts';
import type { Counter } from '../observer.ts';
import { bytes } from '../protocol/bytes.ts';
import { decodeAs } from '../protocol/message.ts';
import type { Method, MethodTable, Protocol } from '../protocol/protocol.ts';
import { workOf } from '../protocol/refusal.ts';
import type { Remote } from '../remote.ts';
import type { InCall, InChannel } from '../session/in-call.ts';
import { unserved } from '../session/refusal.ts';
import { DECODED_SHIFT, UNDECODABLE, UNDECODABLE_SHIFT } from '../session/work.ts';
import { type IncomingRpc, makeRpc } from './rpc.ts';

/** A reader of calls: a `serve`, or a consumer. */
export interface Taker {
  /** The methods it takes; undefined: all that no other takes. */
  readonly methods: ReadonlySet<string> | undefined;
  /** It alone may name a method: a `serve`. */
  readonly exclusive: boolean;
  /** Could it take one more now? */
  readonly ready: boolean;
  /** It is being fed: where it is ready again within its turn, the same loop goes on. */
  feeding: boolean;
  /** One call, decoded, that is its own from now on. */
  take(rpc: IncomingRpc, call: InCall): void;
  /** The transport or its mount closes. */
  close(): void;
}

export class Inbox {
  readonly protocol: Protocol;
  readonly table: MethodTable;
  closed = false;
  /** Calls that wait for a reader. */
  waiting = 0;
  readonly #takers: Taker[] = [];
  /** By method id, the only reader that a method has: found again at once as long as the readers stay the same. */
  #only: (Taker | undefined)[] = [];
  /** Channels with calls that wait, in turn. */
  readonly #ring: InChannel[] = [];
  readonly #count: (counter: Counter, remote: Remote | undefined) => void;

  /** A handler's clean-up failed, or one that had answered threw: nobody else is told. */
  readonly handlerFailed: (error: unknown) => void;

  readonly #now: () => number;

  constructor(
    protocol: Protocol,
    table: MethodTable,
    now: () => number,
    count: (counter: Counter, remote: Remote | undefined) => void,
    handlerFailed: (error: unknown) => void,
  ) {
    this.protocol = protocol;
    this.table = table;
    this.#now = now;
    this.#count = count;
    this.handlerFailed = handlerFailed;
  }

  /** A call came. It is read at once where its reader is free and nothing of its connection waits before it. */
  arrive(call: InCall): void {
    const taker = this.#only[call.method.id] ?? this.#takerOf(call.method);
    if (taker === undefined || !taker.ready || call.channel.inbound.length > 0 || call.carrier.congested(call.channel)) return this.#queue(taker, call);
    if (call.method.kind === 'oneway') {
      if (this.#crowds(call)) return this.#queue(taker, call);
    } else if (call.account !== undefined) this.release(call);
    this.#hand(taker, call);
  }

  #queue(taker: Taker | undefined, call: InCall): void {
    if (taker === undefined && this.#takers.length > 0) return this.#refuse(call);
    if (!this.#enqueue(call)) return;
    if (taker === undefined) this.#awaitReader(call);
    else if (taker.ready) this.feed(taker);
  }

  /** Another reader: what waited for one is looked at anew. */
  add(taker: Taker): void {
    this.#check(taker);
    this.#takers.push(taker);
    this.#only = [];
    this.#refuseUnserved();
    this.feed(taker);
  }

  /** Refuses the waiting calls that no reader takes; a call that one does take now waits without a time limit of its own. */
  #refuseUnserved(): void {
    for (const channel of [...this.#ring]) {
      for (const call of channel.inbound) {
        if (this.#takerOf(call.method) !== undefined) {
          call.refuseAt = Number.POSITIVE_INFINITY;
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

  /** A reader leaves. Calls that it was not handed stay for the other readers, or wait for a new one if it was the last. */
  drop(taker: Taker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
    this.#only = [];
    if (this.#takers.length > 0) return this.#refuseUnserved();
    for (const channel of this.#ring) for (const call of channel.inbound) this.#awaitReader(call);
  }

  /** Nobody reads: the call is refused well before its deadline. A one-way waits, bounded by its credit. */
  #awaitReader(call: InCall): void {
    if (call.method.kind === 'oneway') return;
    const now = this.#now();
    call.refuseAt = now + Math.min(PATIENCE, (call.due - now) / 2);
    call.carrier.expires(call, call.refuseAt);
  }

  /** The reader can take more. */
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

  /** There is room for answers again: the readers go on. */
  feedAll(): void {
    for (const taker of [...this.#takers]) this.feed(taker);
  }

  /** A call that waited is gone: its caller cancelled, or its time was up. */
  withdrawn(call: InCall): void {
    const { channel } = call;
    this.waiting--;
    channel.link.leaves(call.cost, call.method.kind !== 'oneway');
    if (call.account === undefined) {
      channel.queued--;
      channel.queuedBytes -= call.cost;
    }
    if (channel.inbound.length === 0) this.#ring.splice(this.#ring.indexOf(channel), 1);
  }

  /** Nothing is read any more; what waits is refused with `error`. */
  close(error: TransportError): void {
    this.closed = true;
    for (const channel of [...this.#ring]) {
      for (const call of channel.inbound) {
        this.remove(call);
        if (call.method.kind === 'oneway') this.#dropOneway(call);
        else call.carrier.fail(call, error, true);
      }
    }
    this.#only = [];
    for (const taker of this.#takers.splice(0)) taker.close();
  }

  #check(taker: Taker): void {
    for (const other of this.#takers) {
      if (!taker.exclusive && !other.exclusive) continue;
      for (const name of taker.methods ?? []) {
        if (other.methods?.has(name) !== true) continue;
        throw new TypeError(`method '${name}' of '${this.protocol.name}' has a reader already: a method that is served goes to its handler alone`);
      }
    }
  }

  /** Who reads a method: the one that names it, else one that takes all; one that is free before one that is not. */
  #takerOf(method: Method): Taker | undefined {
    let best: Taker | undefined;
    let named = false;
    for (const taker of this.#takers) {
      const names = taker.methods?.has(method.name) === true;
      if (!names && (taker.methods !== undefined || named)) continue;
      if (best === undefined || (names && !named) || (!best.ready && taker.ready)) best = taker;
      named ||= names;
    }
    if (this.#takers.length === 1 && method.id < REMEMBERED) this.#only[method.id] = best;
    return best;
  }

  #takes(taker: Taker, method: Method): boolean {
    if (taker.methods !== undefined) return taker.methods.has(method.name);
    return this.#takerOf(method)?.methods === undefined;
  }

  /** The next call for a reader, in turn over the connections; of one channel in order. */
  #next(taker: Taker): InCall | undefined {
    for (let turn = this.#ring.length; turn > 0; turn--) {
      const channel = this.#ring[0]!;
      if (this.#ring.length > 1) this.#ring.push(this.#ring.shift()!);
      for (let call = channel.inbound.first; call !== undefined; call = call.after as InCall | undefined) {
        if (!this.#takes(taker, call.method)) continue;
        if (call.carrier.congested(channel)) break;
        if (this.#crowds(call)) continue;
        this.remove(call);
        if (call.method.kind !== 'oneway') this.release(call);
        return call;
      }
    }
    return undefined;
  }

  #enqueue(call: InCall): boolean {
    const { channel } = call;
    const { inbound } = channel.link.limits;
    if (call.account === undefined) {
      if (channel.queued >= inbound.calls || (channel.queued > 0 && channel.queuedBytes + call.cost > inbound.bytes)) {
        this.#count('refusedCall', call.from);
        const message = `${channel.queued} calls of '${this.protocol.name}' wait here for a reader already (limits.inbound)`;
        call.carrier.fail(call, stackless('resource_exhausted', message), true);
        return false;
      }
      channel.queued++;
      channel.queuedBytes += call.cost;
    }
    channel.link.enters(call.cost, call.method.kind !== 'oneway');
    if (channel.inbound.length === 0) this.#ring.push(channel);
    call.widen();
    channel.inbound.push(call);
    this.waiting++;
    return true;
  }

  /** As many one-ways of its connection as `limits.calls` or `limits.total` allow are being handled: this one waits until one of them is done. */
  #crowds({ method, channel }: InCall): boolean {
    if (method.kind !== 'oneway' || channel.oneways === 0) return false;
    if (channel.oneways < channel.link.limits.calls && !channel.link.hasTooMany) return false;
    channel.crowded = true;
    return true;
  }

  /** Gives back what a call cost its account: of a request when it is taken, of a one-way when its reader is done with it. */
  release(call: InCall): void {
    call.account?.giveBack(call.cost, call.channel.inbound.length === 0);
    call.account = undefined;
  }

  /** One more one-way of a connection may be handled. */
  uncrowded(channel: InChannel): void {
    channel.crowded = false;
    this.feedAll();
  }

  #hand(taker: Taker, call: InCall): void {
    const { method, payload } = call;
    if (method.request !== bytes) call.channel.link.units -= payload.length >> DECODED_SHIFT;
    let request: unknown;
    try {
      request = decodeAs(method.request, method.what.request, payload);
    } catch (error) {
      return this.#undecodable(call, error as TransportError);
    }
    taker.take(makeRpc(call, request), call);
  }

  /** A request that its codec refuses reaches no reader. */
  #undecodable(call: InCall, error: TransportError): void {
    if (call.method.kind === 'oneway') this.#dropOneway(call);
    else call.carrier.fail(call, error, true);
    const { link } = call.channel;
    const work = Math.max(call.payload.length, workOf(error));
    link.units -= UNDECODABLE + work;
    link.refused(work >> UNDECODABLE_SHIFT);
  }

  #refuse(call: InCall): void {
    this.release(call);
    if (call.method.kind === 'oneway') return this.#dropOneway(call);
    call.carrier.fail(call, unserved(call.method), true);
    call.channel.link.refused();
  }

  #dropOneway(call: InCall): void {
    this.release(call);
    this.#count('onewayDropped', call.from);
  }
}

/** Milliseconds that a call waits for a first reader, at the most. */
const PATIENCE = 1_000;
/** Ids of methods below this have a place in an array. */
const REMEMBERED = 256;
