// The calling half of a session: our own calls by id, from admission to their terminal frame
// (docs/wire-protocol.md §4).

import { TransportError, withDetails } from '../errors.ts';
import { List } from '../list.ts';
import type { Method } from '../protocol/protocol.ts';
import { Account, DOWNLOAD, Kind, UPLOAD } from '../wire/frame.ts';
import { type Assembly, STALLED } from './assembly.ts';
import type { Channel } from './channel.ts';
import type { Channels } from './channels.ts';
import { Slots } from './id-table.ts';
import { InStream } from './in-stream.ts';
import type { IncomingPackets } from './incoming-packets.ts';
import type { CallCarrier, OutCall } from './out-call.ts';
import { OutStream } from './out-stream.ts';
import type { Outbox } from './outbox.ts';
import { Outgoing } from './outgoing.ts';
import { memoryFull, type SessionContext, UNIT } from './session-context.ts';

export class Caller implements CallCarrier {
  readonly stage = 'it was waiting to be sent';
  readonly slots: Slots<OutCall>;
  /** The number of open streaming calls, and the calls that wait for one of them to end. */
  streams = 0;
  readonly #waitingStreams = new List<OutCall>();
  /** Calls of all channels that wait for room. */
  #waiting = 0;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #incomingPackets: IncomingPackets;
  readonly #channels: Channels;

  constructor(
    context: SessionContext,
    outbox: Outbox,
    incomingPackets: IncomingPackets,
    parity: 0 | 1,
    channels: Channels,
  ) {
    this.#context = context;
    this.#outbox = outbox;
    this.#incomingPackets = incomingPackets;
    this.slots = new Slots(parity);
    this.#channels = channels;
  }

  get mark(): number {
    return this.#context.mark;
  }

  get now(): number {
    return this.#context.now;
  }

  /**
   * Takes a call. It starts at once, or waits in order until there is room. A call that can never
   * be sent fails here.
   */
  start(call: OutCall): void {
    const channel = this.#channels.get(call.channel);
    if (this.#isPlain(channel, call)) return this.#startPlain(channel, call);
    const refusal = this.#refusal(channel, call);
    if (refusal !== undefined) return call.failed(refusal);
    call.carrier = this;
    if (call.due < Number.POSITIVE_INFINITY) this.#context.port.wakeBy(call.due);
    const queue = this.#queueOf(channel, call);
    if (queue.length === 0 && this.#hasRoom(channel, call)) return this.#admit(channel, call);
    if (this.#context.full(call.cost)) return call.failed(memoryFull(this.#context.memory));
    this.#context.hold(call.cost);
    call.widen();
    queue.push(call);
    this.#waiting++;
    this.#outbox.awaited = true;
  }

  /**
   * Returns true for the common case: a unary call of one packet, with nothing queued before it.
   */
  #isPlain(
    { disagreement, lanes, open, waiting }: Channel,
    { method, metadata, payload }: OutCall,
  ): boolean {
    const { calls, message, packet } = this.#context.terms;
    if (
      method.kind !== 'unary' ||
      metadata !== undefined ||
      payload.length > packet ||
      payload.length > message
    )
      return false;
    return (
      disagreement === undefined &&
      waiting.length === 0 &&
      lanes.short.length === 0 &&
      open < calls &&
      !this.slots.full
    );
  }

  #startPlain(channel: Channel, call: OutCall): void {
    call.carrier = this;
    if (call.due < Number.POSITIVE_INFINITY) this.#context.port.wakeBy(call.due);
    this.slots.add(call);
    channel.open++;
    const { payload } = call;
    if (!this.#outbox.straight(payload.length)) return this.#queue(channel, call, false);
    const { mark, now, writer } = this.#context;
    const timeout = call.timeLeft(now);
    if (timeout < 0) return;
    writer.short(Kind.REQUEST, call.id, channel.byte, call.method.id, timeout, payload);
    call.writtenIn = mark;
    this.#context.active = now;
    this.#outbox.wrote();
  }

  /**
   * Writes a one-way of one packet straight into the batch if nothing is queued before it, without
   * creating a call. If this returns false, use `tryStart`, which tells why.
   */
  tryShort(byte: number, method: Method, payload: Uint8Array): boolean {
    const channel = this.#channels.get(byte);
    const { lanes } = channel;
    const { length } = payload;
    const { terms } = this.#context;
    if (
      channel.disagreement !== undefined ||
      length > terms.packet ||
      length > terms.message ||
      channel.waiting.length > 0
    )
      return false;
    if (lanes.short.length > 0 || lanes.shortCredit <= 0 || !this.#outbox.straight(length))
      return false;
    lanes.shortCredit -= length + UNIT;
    lanes.uncreditedShort.oneway(length + UNIT);
    this.#context.writer.short(Kind.ONEWAY, 0, channel.byte, method.id, 0, payload);
    this.#context.active = this.#context.now;
    this.#outbox.wrote();
    return true;
  }

  /**
   * Starts a one-way if it can go now, and returns false otherwise. Throws if it can never be sent.
   */
  tryStart(call: OutCall): boolean {
    const channel = this.#channels.get(call.channel);
    const refusal = this.#refusal(channel, call);
    if (refusal !== undefined) throw refusal;
    if (!this.#payable(channel, call) || !this.#hasRoom(channel, call)) return false;
    call.carrier = this;
    this.#admit(channel, call);
    return true;
  }

  /** Returns true if a one-way of at most one packet could go now. */
  writable(channel: Channel): boolean {
    const { lanes } = channel;
    const room = lanes.shorts.fits(
      this.#context.terms.packet + UNIT,
      this.#context.limits.outbound,
    );
    return (
      room &&
      channel.waiting.length === 0 &&
      lanes.firstUnpaid === undefined &&
      lanes.shortCredit > 0
    );
  }

  /** Returns true if the account of this one-way has credit and no earlier message waits for it. */
  #payable({ lanes, waiting, waitingLong }: Channel, call: OutCall): boolean {
    if (call.payload.length > this.#context.terms.packet)
      return waitingLong.length === 0 && lanes.unpaidLong.length === 0 && lanes.longCredit > 0;
    return waiting.length === 0 && lanes.firstUnpaid === undefined && lanes.shortCredit > 0;
  }

  #refusal(channel: Channel, call: OutCall): TransportError | undefined {
    if (channel.disagreement !== undefined)
      return withDetails(channel.disagreement, { sent: false });
    const { message } = this.#context.terms;
    if (call.payload.length <= message) return undefined;
    const remedy = call.method.kind === 'oneway' ? 'send it in parts' : 'stream it with an upload';
    const text = `${call.method.full}: a request of ${call.payload.length} bytes is above limits.message, ${message} bytes with this peer; ${remedy}`;
    return new TransportError('resource_exhausted', text, { reason: 'too_large', sent: false });
  }

  #hasRoom(channel: Channel, call: OutCall): boolean {
    const tally =
      call.payload.length > this.#context.terms.packet ? channel.lanes.longs : channel.lanes.shorts;
    if (!tally.fits(call.cost, this.#context.limits.outbound)) return false;
    if (call.method.kind === 'oneway') return true;
    return (
      channel.open < this.#context.terms.calls &&
      !this.slots.full &&
      (call.method.flags === 0 || this.streams < this.#context.terms.streams)
    );
  }

  /**
   * Returns the queue in which a call waits. Streaming calls have one queue for the whole
   * connection, because their limit covers the connection. Long messages that keep no order with
   * short ones have a queue per channel; everything else shares the channel's main queue.
   */
  #queueOf(channel: Channel, call: OutCall): List<OutCall> {
    if (call.method.flags !== 0) return this.#waitingStreams;
    return call.payload.length > this.#context.terms.packet &&
      channel.mounted?.protocol.ordered !== true
      ? channel.waitingLong
      : channel.waiting;
  }

  /** Admits waiting calls as far as there is room. */
  admitWaiting(channel: Channel): void {
    if (this.#waiting > 0)
      for (const queue of [channel.waiting, channel.waitingLong, this.#waitingStreams])
        this.#admitFrom(queue);
  }

  #admitFrom(queue: List<OutCall>): void {
    for (let call = queue.first; call !== undefined; call = queue.first) {
      const channel = this.#channels.get(call.channel);
      if (!this.#hasRoom(channel, call)) return;
      this.#unwait(channel, call);
      this.#admit(channel, call);
    }
  }

  #unwait(channel: Channel, call: OutCall): boolean {
    if (!this.#queueOf(channel, call).remove(call)) return false;
    this.#outbox.awaited = --this.#waiting > 0;
    this.#context.free(call.cost);
    return true;
  }

  #admit(channel: Channel, call: OutCall): void {
    if (call.method.kind === 'oneway') return this.#admitOneway(channel, call);
    this.slots.add(call);
    channel.open++;
    const { method, payload, metadata } = call;
    const { length } = payload;
    if (method.flags !== 0) this.#openStreams(channel, call);
    const isShort = length <= this.#context.terms.packet;
    if (
      !isShort ||
      channel.lanes.short.length > 0 ||
      !this.#outbox.straight(metadata === undefined ? length : length + metadata.bytes.length)
    )
      return this.#queue(channel, call, !isShort);
    this.#write(channel, call);
  }

  /** Writes a request straight into the batch, unless its deadline has passed. */
  #write(channel: Channel, call: OutCall): void {
    const { method, payload, metadata } = call;
    const { mark, now, writer } = this.#context;
    const timeout = call.timeLeft(now);
    if (timeout < 0) return;
    writer.message(
      Kind.REQUEST,
      call.id,
      channel.byte,
      method.id,
      method.flags,
      timeout,
      metadata,
      0,
      payload,
      0,
      payload.length,
    );
    call.writtenIn = mark;
    this.#context.active = now;
    if (method.flags !== 0) call.accepted();
    this.#outbox.wrote();
  }

  #queue(channel: Channel, call: OutCall, long: boolean): void {
    const { kind, id, flags } = call.method;
    call.widen();
    const unit = new Outgoing(
      kind === 'oneway' ? Kind.ONEWAY : Kind.REQUEST,
      call.id,
      call.payload,
      call,
    );
    unit.method = id;
    unit.flags = flags;
    unit.metadata = call.metadata;
    unit.account = long ? Account.LONG : kind === 'oneway' ? Account.SHORT : 0;
    call.unit = unit;
    this.#outbox.push(
      channel.lanes,
      unit,
      long && channel.mounted?.protocol.ordered !== true ? 'bulk' : 'short',
    );
  }

  #admitOneway(channel: Channel, call: OutCall): void {
    const { lanes } = channel;
    const { method, payload, metadata } = call;
    const long = payload.length > this.#context.terms.packet;
    if (
      !long &&
      lanes.short.length === 0 &&
      lanes.shortCredit > 0 &&
      this.#outbox.straight(payload.length + (metadata === undefined ? 0 : metadata.bytes.length))
    ) {
      lanes.shortCredit -= call.cost;
      lanes.uncreditedShort.oneway(call.cost);
      this.#context.writer.message(
        Kind.ONEWAY,
        0,
        channel.byte,
        method.id,
        0,
        0,
        metadata,
        0,
        payload,
        0,
        payload.length,
      );
      call.writtenIn = this.#context.mark;
      this.#context.active = this.#context.now;
      call.accepted();
      this.#outbox.wrote();
      return;
    }
    if (long) this.slots.add(call);
    this.#queue(channel, call, long);
  }

  #openStreams(channel: Channel, call: OutCall): void {
    this.streams++;
    call.widen();
    const progress = () => call.progressed(this.#context.now);
    if (call.method.flags & UPLOAD)
      call.upload = new OutStream(this.#context, this.#outbox, channel.lanes, call.id, progress);
    if (call.method.flags & DOWNLOAD)
      call.download = new InStream(this.#context, this.#outbox, call.id);
  }

  requestWritten(call: OutCall): void {
    const channel = this.#channels.get(call.channel);
    if (call.method.kind === 'oneway') {
      if (call.id !== 0) this.slots.delete(call);
    } else if (call.method.flags !== 0 && !call.done) call.accepted();
    this.admitWaiting(channel);
  }

  abandon(call: OutCall): void {
    const channel = this.#channels.get(call.channel);
    if (this.#unwait(channel, call)) return;
    const { unit } = call;
    const begun = unit?.begun === true;
    if (unit !== undefined) {
      this.#outbox.remove(channel.lanes, unit);
      call.unit = undefined;
    }
    call.upload?.stop(ABANDONED);
    if (begun || call.writtenIn !== 0) {
      if (this.slots.get(call.id) !== call) return;
      this.#outbox.control(Kind.CANCEL, call.id);
      if (call.method.kind === 'oneway') this.slots.delete(call);
    } else this.#release(channel, call);
    this.admitWaiting(channel);
  }

  #release(channel: Channel, call: OutCall): void {
    if (call.id === 0 || !this.slots.delete(call)) return;
    const { assembly, method } = call;
    if (assembly !== undefined) {
      assembly.release();
      call.assembly = undefined;
    }
    if (method.kind === 'oneway') return;
    channel.open--;
    if (method.flags === 0) return;
    this.streams--;
    call.download?.release();
  }

  /**
   * Ends a call whose terminal frame was read: its id becomes free, and its request and upload
   * stop.
   */
  terminal(call: OutCall): void {
    const channel = this.#channels.get(call.channel);
    if (call.wide) this.#stop(channel, call);
    else if (this.slots.delete(call)) channel.open--;
    this.admitWaiting(channel);
  }

  #stop(channel: Channel, call: OutCall): void {
    if (call.unit !== undefined) {
      this.#outbox.remove(channel.lanes, call.unit);
      call.unit = undefined;
    }
    call.upload?.stop(ANSWERED);
    this.#release(channel, call);
  }

  // Time and the end of the connection.

  /**
   * Fails, because the transport closes, all calls that no handler can have seen, and all one-ways
   * that were not yet accepted.
   */
  failUnsent(error: TransportError, channels: Iterable<Channel>): void {
    const unsent: OutCall[] = this.takeWaiting(channels);
    for (const call of this.slots.values())
      if (!call.done && call.writtenIn === 0 && call.unit?.begun !== true) unsent.push(call);
    for (const { lanes } of channels)
      for (const unit of lanes.short)
        if (unit.kind === Kind.ONEWAY && unit.unpaid) unsent.push(unit.sender as OutCall);
    for (const call of unsent) {
      call.carrier?.abandon(call);
      call.failed(withDetails(error, { sent: false }));
    }
  }

  /**
   * Ends the calls of a protocol that closes: unsent calls are taken back, the others are
   * cancelled.
   */
  failChannel(channel: Channel, error: TransportError): void {
    const calls: OutCall[] = [
      ...channel.waiting,
      ...channel.waitingLong,
      ...[...this.#waitingStreams].filter((call) => call.channel === channel.byte),
    ];
    for (const call of this.slots.values())
      if (call.channel === channel.byte && !call.done) calls.push(call);
    for (const unit of channel.lanes.short)
      if (unit.kind === Kind.ONEWAY && unit.unpaid) calls.push(unit.sender as OutCall);
    for (const call of calls) {
      if (call.done) continue;
      const { sent } = call;
      this.abandon(call);
      call.failed(withDetails(error, { sent }));
    }
  }

  /**
   * Fails everything in flight when the grace period is over. Its answers are no longer awaited.
   */
  failAll(error: TransportError): void {
    for (const call of this.slots.values())
      if (!call.done) call.failed(withDetails(error, { sent: call.sent }));
  }

  /** Removes the calls that waited for room and returns them in order, to be sent elsewhere. */
  takeWaiting(channels: Iterable<Channel>): OutCall[] {
    const waiting: OutCall[] = [...this.#waitingStreams];
    for (const channel of channels) waiting.push(...channel.waiting, ...channel.waitingLong);
    for (const call of waiting) {
      this.#unwait(this.#channels.get(call.channel), call);
      call.carrier = undefined;
    }
    return waiting.sort((a, b) => a.seq - b.seq);
  }

  /** Ends the calls whose deadline has passed; returns the next time at which one may expire. */
  wake(now: number, channels: Iterable<Channel>): number {
    let next = Number.POSITIVE_INFINITY;
    const look = (call: OutCall) => {
      if (call.done) return;
      if (call.due <= now) call.expired(now);
      if (!call.done && call.due < next) next = call.due;
    };
    // Waiting calls come first, because an expiring call in flight may admit one of them.
    for (const call of this.#waitingStreams) look(call);
    for (const channel of channels) {
      for (const call of channel.waiting) look(call);
      for (const call of channel.waitingLong) look(call);
      for (const unit of channel.lanes.short)
        if (unit.kind === Kind.ONEWAY && unit.unpaid) look(unit.sender as OutCall);
    }
    for (const call of this.slots.values()) {
      look(call);
      const { assembly = call.download?.assembly } = call;
      if (assembly === undefined || call.done) continue;
      const stale = Math.max(assembly.last, this.#incomingPackets.lastPacket) + STALLED;
      if (stale > now) next = Math.min(next, stale);
      else this.#stopped(call, assembly);
    }
    return next;
  }

  /**
   * Fails a call because a long message of the callee stopped half-way; a callee that still streams
   * is sent a CANCEL.
   */
  #stopped(call: OutCall, assembly: Assembly): void {
    const { got, size } = assembly;
    assembly.drop();
    const what = call.download === undefined ? 'the response' : 'an item';
    call.failed(
      new TransportError('aborted', `${what} stopped after ${got} of ${size} bytes`, {
        sent: true,
      }),
    );
    if (call.download !== undefined) this.abandon(call);
  }

  /**
   * Fails a call because `limits.memory` has no room for a long message of the callee, and sends
   * the callee a CANCEL.
   */
  crowdOut(call: OutCall): void {
    const assembly = call.assembly ?? call.download?.assembly;
    if (assembly === undefined) return;
    assembly.drop();
    const what = call.download === undefined ? 'the response' : 'an item';
    const message = `${call.method.full}: limits.memory is reached, ${what} was dropped after ${assembly.got} of ${assembly.size} bytes; raise the limit, or request less at a time`;
    call.failed(new TransportError('resource_exhausted', message, { sent: true }));
    this.abandon(call);
  }

  /**
   * Ends all calls because the connection is over. Returns those that no handler can have seen, in
   * order; the others fail.
   * @param arrived true if everything that was written is known to have arrived, so no one-way is
   *   lost.
   */
  close(error: TransportError, channels: Iterable<Channel>, arrived: boolean): OutCall[] {
    const unsent: OutCall[] = [];
    let lost = 0;
    const over = (channel: Channel, call: OutCall) => {
      const { sent } = call;
      call.widen();
      if (call.unit !== undefined) this.#outbox.remove(channel.lanes, call.unit);
      call.unit = undefined;
      call.upload?.stop(error);
      call.download?.end(error);
      this.#release(channel, call);
      if (call.done) return;
      // The user of an accepted streaming call already holds its streams, so it can't be started
      // again.
      if (sent || (call.method.flags !== 0 && call.writtenIn !== 0))
        call.failed(withDetails(error, { sent }));
      else {
        call.id = 0;
        call.writtenIn = 0;
        call.carrier = undefined;
        call.upload = call.download = undefined;
        unsent.push(call);
      }
    };
    for (const channel of channels) {
      const { lanes } = channel;
      if (!arrived) lost += lanes.uncreditedShort.size + lanes.uncreditedLong.size;
      for (const lane of [lanes.short, lanes.bulk, lanes.unpaidLong]) {
        for (const unit of lane) {
          if (unit.kind !== Kind.ONEWAY) continue;
          const call = unit.sender as OutCall;
          if (call.done && !unit.unpaid && !unit.begun) lost++;
          over(channel, call);
        }
      }
    }
    if (lost > 0) this.#context.count('onewayLost', lost);
    for (const call of this.takeWaiting(channels)) over(this.#channels.get(call.channel), call);
    for (const call of this.slots.values()) over(this.#channels.get(call.channel), call);
    return unsent.sort((a, b) => a.seq - b.seq);
  }
}

const ABANDONED = new TransportError('cancelled', 'the call was cancelled');
const ANSWERED = new TransportError(
  'cancelled',
  'the callee answered before the upload was complete',
);
