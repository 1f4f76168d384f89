// The calling half of a session: our own calls by id, from admission to their terminal frame
// (docs/wire-protocol.md §4).
//
// Owns the open calls, and the streaming calls that wait for a place. The transport tells it to
// start and to abandon calls, and `Answers` which calls the peer has answered. It writes requests
// into the batch or queues them in the outbox, and settles calls.

import { TransportError, withDetails, withoutStack } from '../errors.ts';
import { List } from '../list.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { DOWNLOAD, type EncodedMetadata, Kind, UNIT, UPLOAD } from '../wire/frame.ts';
import type { Batch } from './batch.ts';
import type { Channel, Channels } from './channels.ts';
import { memoryFull } from './memory.ts';
import { type CallCarrier, OutCall, Slots } from './out-call.ts';
import type { Outbox } from './outbox.ts';
import { isLent, type Lanes } from './outgoing.ts';
import type { SessionContext } from './session-context.ts';
import { InStream, OutStream } from './streams.ts';

/** Our open calls. */
export class Caller implements CallCarrier {
  readonly slots: Slots<OutCall>;
  /** The number of streaming calls that are open, or in a lane. */
  streams = 0;
  /** Streaming calls that wait for a place among the streams of the connection, in order. */
  readonly #parked = new List<OutCall>();
  readonly #context: SessionContext;
  readonly #batch: Batch;
  readonly #outbox: Outbox;
  readonly #channels: Channels;

  /** @param parity the parity of its call ids: 1 for the dialer, 0 for the acceptor. */
  constructor(outbox: Outbox, channels: Channels, parity: 0 | 1) {
    const { context, batch } = outbox;
    this.#context = context;
    this.#batch = batch;
    this.#outbox = outbox;
    this.#channels = channels;
    this.slots = new Slots(parity);
  }

  get stage(): string {
    const unread = this.#parked.length > 0 ? this.#unread().length : 0;
    const text = 'it was waiting to be sent';
    return unread === 0 ? text : `${text}; ${unread} streams that nobody reads hold places`;
  }

  get mark(): number {
    return this.#batch.number;
  }

  get now(): number {
    return this.#context.now;
  }

  get remote(): Remote | undefined {
    return this.#context.remote;
  }

  /**
   * Takes a call. It is written immediately, or waits in order. A call that can never be sent fails
   * here.
   */
  start(call: OutCall): void {
    const channel = this.#channels.get(call.channel);
    const refusal = this.#refusal(channel, call.method, call.payload.length);
    if (refusal !== undefined) return call.failed(refusal);
    call.carryBy(this);
    this.#context.wakeBy(call.due);
    if (call.method.flags !== 0) {
      if (this.#parked.length > 0 || this.streams >= this.#context.terms.streams)
        return this.#park(call);
      this.streams++;
    }
    if (this.#write(channel, call)) return;
    const { memory, usage } = this.#context;
    if (!this.#hasRoom(channel, call) && !memory.fits(call.cost)) {
      if (call.method.flags !== 0) this.streams--;
      return call.failed(memoryFull(memory, call.cost));
    }
    this.#queue(channel, call);
    usage.makeRoom();
  }

  /** Returns the error for a message that can never be sent on this connection. */
  #refusal(
    { disagreement }: Channel,
    method: ProtocolMethod,
    length: number,
  ): TransportError | undefined {
    const { message } = this.#context.terms;
    if (disagreement !== undefined) return withDetails(disagreement, { sent: false });
    return length > message ? tooLarge(method, length, message) : undefined;
  }

  /** Returns true if the limits of both ends let a call begin, and `limits.outbound` its wait. */
  #hasRoom({ lanes }: Channel, call: OutCall): boolean {
    const tally = call.payload.length > this.#context.terms.packet ? lanes.longs : lanes.shorts;
    return tally.fits(call.price, this.#context.limits.outbound) && this.mayBegin(call);
  }

  mayBegin({ channel, method, payload }: OutCall): boolean {
    if (method.kind !== 'oneway') return this.#hasPlace(this.#channels.get(channel));
    return payload.length <= this.#context.terms.packet || !this.slots.full;
  }

  /** Returns true if a request may begin on the channel. */
  #hasPlace({ open }: Channel): boolean {
    return open < this.#context.terms.calls && !this.slots.full;
  }

  begin(call: OutCall): number {
    if (call.method.kind !== 'oneway') this.#open(this.#channels.get(call.channel), call);
    else if (call.payload.length > this.#context.terms.packet) this.slots.add(call);
    return call.id;
  }

  #open(channel: Channel, call: OutCall): void {
    this.slots.add(call);
    channel.countCall(1);
    if (call.method.flags !== 0) this.#openStreams(channel, call);
  }

  // Places of streaming calls, whose limit covers the connection.

  #park(call: OutCall): void {
    const { memory, usage } = this.#context;
    if (!memory.fits(call.cost)) return call.failed(memoryFull(memory, call.cost));
    usage.hold(call.cost);
    call.keep();
    this.#parked.push(call);
    usage.makeRoom();
    if (this.#parked.length <= this.streams)
      this.#context.wakeBy(this.#freePlaces(this.#context.now));
  }

  /** Removes a call that waits for a place; returns false if it does not. */
  #unpark(call: OutCall): boolean {
    if (!this.#parked.remove(call)) return false;
    this.#context.usage.free(call.cost);
    return true;
  }

  /** Called when something has ended that may have kept calls waiting. */
  #proceed(): void {
    if (!this.#outbox.idle) this.#context.port.dirty();
    if (this.#parked.length > 0) this.#admitParked();
  }

  #admitParked(): void {
    // Writing may run code of the program, which may end any of these calls.
    for (let call = this.#parked.first; call !== undefined; call = this.#parked.first) {
      if (this.streams >= this.#context.terms.streams) return;
      this.#unpark(call);
      this.streams++;
      const channel = this.#channels.get(call.channel);
      if (!this.#write(channel, call)) this.#queue(channel, call);
    }
  }

  /** Our streams that nobody has begun to read; the oldest first. */
  #unread(): OutCall[] {
    return [...this.slots.values()]
      .filter(({ done, unreadSince }) => !done && unreadSince !== undefined)
      .sort((a, b) => (a.unreadSince! < b.unreadSince! ? -1 : 1));
  }

  /**
   * Ends streams that nobody has begun to read for a while, as long as others wait for their
   * places. Returns the next time at which it must be called.
   */
  #freePlaces(now: number): number {
    let missing = this.#parked.length;
    if (missing === 0 || this.streams < this.#context.terms.streams) return NEVER;
    // A call that has ended keeps its place until the callee has confirmed that.
    for (const { done, method } of this.slots.values()) if (done && method.flags !== 0) missing--;
    for (const call of this.#unread()) {
      const due = Math.min(call.unreadSince!, now) + UNREAD;
      if (due > now || missing-- <= 0) return Math.max(due, now + 1);
      this.abandon(call);
      call.failed(unreadError(call.method));
    }
    return NEVER;
  }

  /**
   * Sends a one-way if it can be sent now, and returns false otherwise. It becomes a call only if
   * it has to wait in a lane.
   * @throws TransportError if it can never be sent.
   */
  trySend(byte: number, method: ProtocolMethod, payload: Uint8Array): boolean {
    const channel = this.#channels.get(byte);
    const refusal = this.#refusal(channel, method, payload.length);
    if (refusal !== undefined) throw refusal;
    if (!this.#mayFollow(channel, payload.length)) return false;
    // Nothing tells the program when its memory is free again.
    if (isLent(payload, method.request)) payload = new Uint8Array(payload);
    if (this.#writeOneway(channel, method, payload, undefined)) {
      this.#batch.wrote();
      return true;
    }
    const call = new OutCall(byte, method, payload, undefined);
    call.done = true; // Nobody waits for it.
    if (!this.#hasRoom(channel, call)) return false;
    call.carryBy(this);
    this.#queue(channel, call);
    return true;
  }

  /** Returns true if a one-way of at most one packet could be sent now. */
  writable(channel: Channel): boolean {
    const { limits, terms } = this.#context;
    return (
      channel.lanes.shorts.fits(terms.packet + UNIT, limits.outbound) &&
      this.#mayFollow(channel, terms.packet)
    );
  }

  /**
   * Returns true if a one-way may follow the units in its lane: there is credit for all, and no
   * request before it waits for the end of a call.
   */
  #mayFollow(channel: Channel, length: number): boolean {
    const { hasCredit, long, requests } = channel.lanes;
    const ahead = this.#laneOf(channel, length) === 'long' ? long.length : requests;
    // A request in the other lane may begin first.
    const calls = channel.open + requests + long.length;
    const mayBegin = calls <= this.#context.terms.calls && !this.slots.full;
    return hasCredit && (ahead === 0 || mayBegin);
  }

  /** See `Session.whenWritable`. */
  whenWritable(byte: number, endpoint: string): Promise<void> {
    const channel = this.#channels.get(byte);
    if (channel.disagreement !== undefined) return Promise.reject(channel.disagreement);
    if (this.writable(channel)) return Promise.resolve();
    return this.#channels.whenWritable(channel, endpoint);
  }

  /** Writes a short call straight into the batch. Returns false if it is long or has to wait. */
  #write(channel: Channel, call: OutCall): boolean {
    const { method, metadata, payload } = call;
    if (method.kind === 'oneway') {
      if (!this.#writeOneway(channel, method, payload, metadata)) return false;
      call.writeIn(this.#batch.number);
      this.#batch.wrote();
      this.#accept(call);
      return true;
    }
    const bytes = payload.length + (metadata === undefined ? 0 : metadata.bytes.length);
    if (
      payload.length > this.#context.terms.packet ||
      channel.lanes.short.length > 0 ||
      !this.#hasPlace(channel) ||
      !this.#outbox.straight(bytes)
    )
      return false;
    const timeout = call.timeLeft(this.#context.now);
    if (timeout < 0) return false;
    this.#open(channel, call);
    call.writeIn(this.#batch.number);
    this.#batch.request(call.id, call.channel, method, payload, metadata, timeout);
    if (method.flags !== 0) call.accepted();
    this.#batch.wrote();
    return true;
  }

  /** Settles a one-way that was written, once its caller may use the memory again. */
  #accept(call: OutCall): void {
    if (call.isLent) this.#batch.whenLeft(() => call.accepted());
    else call.accepted();
  }

  /**
   * Pays for a short one-way and writes it straight into the batch. Returns false if it is long, or
   * if something waits before it.
   */
  #writeOneway(
    { byte, lanes }: Channel,
    method: ProtocolMethod,
    payload: Uint8Array,
    metadata: EncodedMetadata | undefined,
  ): boolean {
    const { length } = payload;
    if (
      length > this.#context.terms.packet ||
      lanes.short.length > 0 ||
      !this.#outbox.straight(metadata === undefined ? length : length + metadata.bytes.length) ||
      !lanes.payOneway(length + UNIT + (metadata === undefined ? 0 : metadata.size))
    )
      return false;
    this.#batch.oneway(byte, method, payload, metadata);
    return true;
  }

  #queue(channel: Channel, call: OutCall): void {
    const { length } = call.payload;
    const isOneway = call.method.kind === 'oneway';
    const pays = isOneway || length > this.#context.terms.packet;
    const unit = call.queue(isOneway ? Kind.ONEWAY : Kind.REQUEST, pays);
    this.#outbox.push(channel.lanes, unit, this.#laneOf(channel, length));
  }

  /** Returns the lane of a call with this payload. */
  #laneOf({ mounted }: Channel, length: number): 'long' | 'short' {
    return length > this.#context.terms.packet && mounted?.protocol.ordered !== true
      ? 'long'
      : 'short';
  }

  #openStreams(channel: Channel, call: OutCall): void {
    // It may be the next stream that nobody reads.
    if (this.#parked.length > 0) this.#context.wakeBy(this.#context.now + UNREAD);
    const { flags } = call.method;
    const context = this.#context;
    const progress = () => call.progressed(context.now);
    call.openStreams(
      flags & UPLOAD
        ? new OutStream(
            context,
            this.#outbox,
            channel.lanes,
            call.id,
            call.method.upload!,
            progress,
          )
        : undefined,
      flags & DOWNLOAD ? new InStream(context, this.#batch, call.id) : undefined,
    );
  }

  requestWritten(call: OutCall): void {
    if (call.method.kind === 'oneway') {
      if (call.id !== 0) this.slots.delete(call);
      this.#accept(call);
    } else if (call.method.flags !== 0 && !call.done) call.accepted();
  }

  abandon(call: OutCall): void {
    if (this.#unpark(call)) return;
    const channel = this.#channels.get(call.channel);
    const { unit } = call;
    const begun = unit?.begun === true;
    this.#stopSending(channel, call, ABANDONED);
    if (begun || call.writtenIn !== 0) {
      if (this.slots.get(call.id) !== call) return;
      this.#batch.control(Kind.CANCEL, call.id);
      if (call.method.kind === 'oneway') this.slots.delete(call);
    } else if (unit !== undefined && call.method.flags !== 0) this.streams--;
    this.#proceed();
  }

  #release(channel: Channel, call: OutCall): void {
    if (!this.slots.delete(call)) return;
    if (call.method.kind !== 'oneway') channel.countCall(-1);
    if (call.wide) this.#releaseStreams(call);
  }

  #releaseStreams(call: OutCall): void {
    call.endAssembly();
    if (call.method.flags === 0) return;
    this.streams--;
    call.download?.release();
  }

  /**
   * Ends a call whose terminal frame was read: its id becomes free, and its request and upload
   * stop.
   */
  terminal(call: OutCall): void {
    const channel = this.#channels.get(call.channel);
    if (call.wide) this.#stopSending(channel, call, ANSWERED);
    this.#release(channel, call);
    this.#proceed();
  }

  #stopSending(channel: Channel, call: OutCall, error: TransportError): void {
    const unit = call.takeUnit();
    if (unit !== undefined) this.#outbox.remove(channel.lanes, unit);
    call.upload?.stop(error);
  }

  // Time and the end of the connection.

  /**
   * Fails, because the transport closes, all calls that no handler can have seen, except one-ways
   * for which the channel has credit.
   */
  failUnsent(error: TransportError): void {
    const unsent = this.takeWaiting();
    for (const { lanes } of this.#channels.all()) {
      let { credit } = lanes;
      for (const call of queued(lanes)) {
        const mayGo = call.method.kind === 'oneway' && (credit > 0 || call.done);
        if (mayGo) credit -= call.unit!.charge;
        else unsent.push(call);
      }
    }
    for (const call of unsent) {
      call.carrier?.abandon(call);
      call.failed(withoutStack(error, { sent: false }));
    }
  }

  /**
   * Ends the calls of a protocol that closes: unsent calls are taken back, the others are canceled.
   */
  failChannel(channel: Channel, error: TransportError): void {
    for (const call of this.#calls()) {
      if (call.done || call.channel !== channel.byte) continue;
      const { sent } = call;
      this.abandon(call);
      call.failed(withoutStack(error, { sent }));
    }
  }

  /**
   * Fails everything in flight when the grace period is over. The answers are no longer awaited.
   */
  failAll(error: TransportError): void {
    for (const call of this.slots.values())
      if (!call.done) call.failed(withoutStack(error, { sent: call.sent }));
  }

  /**
   * Removes the calls that wait for the end of others, and those behind them. Returns them in order,
   * to be sent elsewhere.
   */
  takeWaiting(): OutCall[] {
    const taken = [...this.#parked];
    for (const { lanes, open } of this.#channels.all()) {
      let places = this.#context.terms.calls - open;
      for (const call of queued(lanes)) {
        if (call.method.kind !== 'oneway') places--;
        if (places < 0 && !call.done) taken.push(call);
      }
    }
    for (const call of taken) {
      if (!this.#unpark(call) && call.method.flags !== 0) this.streams--;
      this.#stopSending(this.#channels.get(call.channel), call, ABANDONED);
      call.carryBy(undefined);
    }
    return taken.sort((a, b) => a.seq - b.seq);
  }

  /**
   * All calls, as a copy, because the fate of one may make the program end others. Waiting calls
   * come first, because they may begin when a call in flight ends.
   */
  #calls(): OutCall[] {
    const waiting = this.#channels.all().flatMap(({ lanes }) => [...queued(lanes)]);
    return [...this.#parked, ...waiting, ...this.slots.values()];
  }

  /** Ends the calls whose deadline has passed; returns the next time at which one may expire. */
  wake(now: number): number {
    let next = NEVER;
    for (const call of this.#calls()) {
      if (call.done) continue;
      if (call.due <= now) call.expired(now);
      if (!call.done && call.due < next) next = call.due;
    }
    return Math.min(next, this.#freePlaces(now));
  }

  /**
   * Ends all calls because the connection has ended. Returns those that no handler can have seen,
   * in order; the others fail.
   * @param arrived true if everything that was written is known to have arrived, so no one-way is
   *   lost.
   */
  close(error: TransportError, arrived: boolean): OutCall[] {
    const unsent: OutCall[] = [];
    let lost = 0;
    if (!arrived) for (const { lanes } of this.#channels.all()) lost += lanes.undone;
    for (const call of this.#calls()) {
      const { method, sent, unit } = call;
      if (method.kind === 'oneway' && unit !== undefined) {
        // It counts as lost only if its sender believes that it was sent.
        if (unit.begun && !arrived) lost--;
        if (call.done) lost++;
      }
      const channel = this.#channels.get(call.channel);
      this.#unpark(call);
      this.#stopSending(channel, call, error);
      call.download?.end(error);
      this.#release(channel, call);
      if (call.done) continue;
      // The user of an accepted streaming call already holds its streams, so it can't be started
      // again.
      if (sent || (method.flags !== 0 && call.writtenIn !== 0))
        call.failed(withoutStack(error, { sent }));
      else {
        call.unsend();
        unsent.push(call);
      }
    }
    if (lost > 0) this.#context.count('onewayLost', lost);
    return unsent.sort((a, b) => a.seq - b.seq);
  }
}

/** The calls in the lanes that have not begun, in the order of each lane. */
function* queued({ short, long }: Lanes): IterableIterator<OutCall> {
  for (const { begun, sender } of [...short, ...long]) if (!begun) yield sender as OutCall;
}

function unreadError({ full }: ProtocolMethod): TransportError {
  const text = `${full}: nobody began to read its items for ${UNREAD} ms, and another call took its place`;
  return new TransportError('resource_exhausted', text, { sent: true });
}

/**
 * The time in milliseconds after which a stream that nobody has begun to read may lose its place.
 * It is shorter than the default timeout of the calls that wait.
 */
const UNREAD = 5_000;
const NEVER = Number.POSITIVE_INFINITY;
const ABANDONED = new TransportError('cancelled', 'the call was cancelled');
const ANSWERED = new TransportError(
  'cancelled',
  'the callee answered before the upload was complete',
);

function tooLarge({ kind, full }: ProtocolMethod, length: number, limit: number): TransportError {
  const remedy = kind === 'oneway' ? 'send it in parts' : 'stream it with an upload';
  const text = `${full}: a request of ${length} bytes is above limits.message, ${limit} bytes with this peer; ${remedy}`;
  return new TransportError('resource_exhausted', text, { reason: 'too_large', sent: false });
}
