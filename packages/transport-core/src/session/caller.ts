// The calling half of a session: our own calls by id, from admission to their terminal frame
// (docs/wire-protocol.md §4).
//
// Owns the open calls and the calls that wait for room. The transport and its pool start calls on
// it, a call that is given up tells it (`abandon`), and Session passes it the peer's answers. It
// writes requests into the batch or queues them in the outbox, and settles calls. Tested in
// session.test.ts and waiting.test.ts.

import { reasonError, TransportError, withDetails, withoutStack } from '../errors.ts';
import { List } from '../list.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { type EncodedMetadata, type Frame, MOST_PRICE, UNIT } from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';
import { remoteError } from '../wire/metadata.ts';
import type { Batch } from './batch.ts';
import { memoryFull } from './memory.ts';
import type { Outbox } from './outbox.ts';
import { isLent } from './outgoing.ts';
import { type CallCarrier, type Channel, type Channels, OutCall, Slots } from './outgoing-calls.ts';
import { aboveCodec, type IncomingPackets } from './packets.ts';
import type { SessionContext } from './session-context.ts';
import { InStream, OutStream } from './streams.ts';

/** Our open calls. */
export class Caller implements CallCarrier {
  /**
   * Our admitted calls until their terminal is read, or until they are taken back before a packet
   * of them was written; and long one-ways while they are sent.
   */
  readonly slots: Slots<OutCall>;
  /** The number of open streaming calls. */
  streams = 0;
  /** Our streaming calls that wait for room: their limit covers the whole connection. */
  readonly #waitingStreams = new List<OutCall>();
  readonly #context: SessionContext;
  readonly #batch: Batch;
  readonly #outbox: Outbox;
  readonly #channels: Channels;
  readonly #packets: IncomingPackets;
  /** Learns that the peer drains. */
  readonly #visitor: { drains?(): void };

  /** @param parity the parity of its call ids: 1 for the dialer, 0 for the acceptor. */
  constructor(
    outbox: Outbox,
    channels: Channels,
    packets: IncomingPackets,
    parity: 0 | 1,
    visitor: { drains?(): void },
  ) {
    this.#context = outbox.context;
    this.#batch = outbox.batch;
    this.#outbox = outbox;
    this.#channels = channels;
    this.#packets = packets;
    this.slots = new Slots(parity);
    this.#visitor = visitor;
  }

  get stage(): string {
    const unread = this.#waitingStreams.length > 0 ? this.#unread().length : 0;
    const text = 'it was waiting to be sent';
    return unread === 0 ? text : `${text}; ${unread} streams that nobody reads hold places`;
  }

  get mark(): number {
    return this.#batch.number;
  }

  get remote(): Remote | undefined {
    return this.#context.remote;
  }

  /**
   * Takes a call. It starts immediately, or waits in order until there is room. A call that can
   * never be sent fails here, and so does one for whose wait there is no memory. Call it only while
   * the session is up (`Connection.isUp`): this is not checked, and a call that starts after the
   * end would never settle.
   */
  start(call: OutCall): void {
    const channel = this.#channels.get(call.method.channel);
    const refusal = this.#refusal(channel, call.method, call.payload.length);
    if (refusal !== undefined) return call.failed(refusal);
    call.carryBy(this);
    this.#context.wakeBy(call.due);
    if (this.#outbox.awaited === 0 && this.#hasRoom(channel, call))
      return this.#admit(channel, call);
    this.#admitOrWait(channel, call);
  }

  #admitOrWait(channel: Channel, call: OutCall): void {
    // Streaming calls of all channels share one queue.
    const isStream = call.method.flags !== 0;
    const queue = isStream ? this.#waitingStreams : channel.queueFor(call.payload.length);
    if (queue.length === 0 && this.#hasRoom(channel, call)) return this.#admit(channel, call);
    const { usage, memory } = this.#context;
    if (!memory.fits(call.cost)) return call.failed(memoryFull(memory, call.cost));
    usage.hold(call.cost);
    call.keep();
    queue.push(call);
    this.#outbox.await(1);
    usage.makeRoom();
    // Each open stream can lose its place to one waiting call. Further ones change nothing.
    if (isStream && queue.length <= this.streams)
      this.#context.wakeBy(this.#freePlaces(this.#context.now));
  }

  /**
   * Our streams that nobody has begun to read; the oldest first. Those that no reader could begin
   * yet come last, because their `unreadSince` is Infinity.
   */
  #unread(): OutCall[] {
    return this.slots
      .values()
      .filter(({ done, unreadSince }) => !done && unreadSince !== undefined)
      .sort((a, b) => (a.unreadSince! < b.unreadSince! ? -1 : 1));
  }

  /**
   * Ends streams that nobody has begun to read, as long as others wait for their places. Returns
   * the next time at which it must be called.
   */
  #freePlaces(now: number): number {
    let missing = this.#waitingStreams.length;
    if (missing === 0 || this.streams < this.#context.terms.streams) return NEVER;
    // A call that has ended keeps its place until the callee has confirmed that.
    for (const { done, method } of this.slots.values()) if (done && method.flags !== 0) missing--;
    for (const call of this.#unread()) {
      const due = Math.min(call.unreadSince!, now) + UNREAD;
      if (due > now || missing-- <= 0) return Math.max(due, now + 1);
      this.abandon(call);
      const text = `${call.method.full}: nobody began to read its items for ${UNREAD} ms, and another call took its place`;
      call.failed(new TransportError('resource_exhausted', text, { sent: true }));
    }
    return NEVER;
  }

  /**
   * Sends a one-way if it can be sent now, and returns false otherwise. It becomes a call only if
   * it has to wait in a lane. Call it only while the session is up, as `start`.
   * @throws TransportError if it can never be sent.
   */
  trySend(method: ProtocolMethod, payload: Uint8Array): boolean {
    const channel = this.#channels.get(method.channel);
    const { length } = payload;
    const refusal = this.#refusal(channel, method, length);
    if (refusal !== undefined) throw refusal;
    if (!channel.canPay(length)) return this.#refuse(channel, length);
    // Nothing tells the program when its memory is free again.
    if (isLent(payload, method.request)) payload = new Uint8Array(payload);
    if (this.#writeOneway(channel, method, payload, undefined)) {
      this.#batch.wrote();
      return true;
    }
    const call = new OutCall(method, payload, undefined);
    call.done = true; // Nobody waits for it.
    if (!this.#hasRoom(channel, call)) return this.#refuse(channel, length);
    call.carryBy(this);
    this.#queue(channel, call);
    return true;
  }

  /** Makes the next caller of `writable` wait for room for this message, if it is long. */
  #refuse(channel: Channel, length: number): false {
    const isLong = length > this.#context.terms.packet;
    channel.refuse(isLong ? () => channel.hasRoom(length) && !this.slots.full : undefined);
    return false;
  }

  /** Returns the error for a message that can never be sent on this connection. */
  #refusal(
    { disagreement }: Channel,
    method: ProtocolMethod,
    length: number,
  ): TransportError | undefined {
    const { message } = this.#context.terms;
    if (disagreement !== undefined) return withDetails(disagreement, { sent: false });
    if (length <= message) return undefined;
    const remedy = method.kind === 'oneway' ? 'send it in parts' : 'stream it with an upload';
    const text = `${method.full}: a request of ${length} bytes is above limits.message, ${message} bytes with this peer; ${remedy}`;
    return reasonError('too_large', text, { sent: false });
  }

  /** Returns true if the limits of both ends let the call start now. */
  #hasRoom(channel: Channel, call: OutCall): boolean {
    const { lanes } = channel;
    const { terms, limits } = this.#context;
    const tally = call.payload.length > terms.packet ? lanes.longs : lanes.shorts;
    if (tally.messages > 0 && !tally.fits(Math.min(call.cost, MOST_PRICE), limits.outbound))
      return false;
    const { kind, flags } = call.method;
    // A long one-way needs an id, as every call does.
    if (kind === 'oneway') return tally === lanes.shorts || !this.slots.full;
    return (
      channel.open < terms.calls &&
      !this.slots.full &&
      (flags === 0 || this.streams < terms.streams)
    );
  }

  /** Removes a call from the queue in which it waits; returns false if it is in none. */
  #endWait(call: OutCall): boolean {
    if (call.list?.remove(call) !== true) return false;
    this.#outbox.await(-1);
    this.#context.usage.free(call.cost);
    return true;
  }

  /** Admits waiting calls of a channel, and streaming calls of all, as far as there is room. */
  admitWaiting(channel: Channel): void {
    if (this.#outbox.awaited > 0) this.#admitAll(channel);
  }

  #admitAll({ waiting, waitingLong }: Channel): void {
    for (const queue of [waiting, waitingLong, this.#waitingStreams]) {
      for (let call = queue.first; call !== undefined; call = queue.first) {
        const channel = this.#channels.get(call.method.channel);
        if (!this.#hasRoom(channel, call)) break;
        this.#endWait(call);
        this.#admit(channel, call);
      }
    }
  }

  /** Writes a call straight into the batch, or queues it in the lanes of its channel. */
  #admit(channel: Channel, call: OutCall): void {
    const { method, metadata, payload } = call;
    if (method.kind === 'oneway') return this.#admitOneway(channel, call);
    this.slots.add(call);
    channel.countCall(1);
    if (method.flags !== 0) this.#openStreams(channel, call);
    const bytes = payload.length + (metadata === undefined ? 0 : metadata.bytes.length);
    const isLong = payload.length > this.#context.terms.packet;
    if (isLong || channel.lanes.short.length > 0 || !this.#outbox.straight(bytes))
      return this.#queue(channel, call);
    const timeout = call.timeLeft(this.#context.now);
    // The call fails soon because its deadline has passed.
    if (timeout < 0) return;
    call.writeIn(this.#batch.number);
    this.#batch.request(call.id, method, payload, metadata, timeout);
    if (method.flags !== 0) call.accepted();
    this.#batch.wrote();
  }

  #admitOneway(channel: Channel, call: OutCall): void {
    if (!this.#writeOneway(channel, call.method, call.payload, call.metadata))
      return this.#queue(channel, call);
    call.writeIn(this.#batch.number);
    if (!call.isLent) call.accepted();
    this.#batch.wrote();
    if (call.isLent) this.#acceptLater(call);
  }

  /** Settles a one-way that is in the batch once its caller may use the memory again. */
  #acceptLater(call: OutCall): void {
    this.#batch.whenLeft(() => {
      if (!call.done) call.accepted();
    });
  }

  /**
   * Pays for a short one-way and writes it straight into the batch. Returns false if it is long, or
   * if it has to wait: for what is queued before it, for credit, or for the connection.
   */
  #writeOneway(
    { lanes }: Channel,
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
    this.#batch.request(0, method, payload, metadata, 0);
    return true;
  }

  /** Queues the request of a call in the lanes of its channel. */
  #queue(channel: Channel, call: OutCall): void {
    const isOneway = call.method.kind === 'oneway';
    const isLong = call.payload.length > this.#context.terms.packet;
    if (isOneway && isLong) this.slots.add(call);
    const unit = call.queue(isOneway ? Kind.ONEWAY : Kind.REQUEST, isOneway || isLong);
    const isOrdered = channel.mounted?.protocol.ordered === true;
    this.#outbox.push(channel.lanes, unit, isLong && !isOrdered ? 'bulk' : 'short');
  }

  #openStreams(channel: Channel, call: OutCall): void {
    this.streams++;
    // It may be the next stream that nobody reads.
    if (this.#waitingStreams.length > 0) this.#context.wakeBy(this.#context.now + UNREAD);
    const { upload, download } = call.method;
    const progress = () => call.progressed();
    call.openStreams(
      upload && new OutStream(this.#outbox, channel.lanes, call.id, upload, progress),
      download && new InStream(this.#context, this.#batch, call.id),
    );
  }

  requestWritten(call: OutCall): void {
    const channel = this.#channels.get(call.method.channel);
    if (call.method.kind === 'oneway') {
      if (call.id !== 0) this.slots.delete(call);
      if (call.isLent && !call.done) this.#acceptLater(call);
    } else if (call.method.flags !== 0 && !call.done) call.accepted();
    this.admitWaiting(channel);
  }

  abandon(call: OutCall): void {
    if (this.#endWait(call)) return this.#context.port.dirty(); // Others may no longer wait.
    const channel = this.#channels.get(call.method.channel);
    const begun = this.#stopSending(call, ABANDONED);
    if (begun || call.writtenIn !== 0) {
      // The id stays in use until the callee answers the CANCEL, which it does not for a one-way. A
      // short one-way has no id.
      if (this.slots.get(call.id) !== call) return;
      this.#batch.control(Kind.CANCEL, call.id);
      if (call.method.kind === 'oneway') this.slots.delete(call);
    } else this.#release(channel, call);
    this.admitWaiting(channel);
  }

  #release(channel: Channel, call: OutCall): void {
    if (!this.slots.delete(call)) return;
    if (call.method.kind !== 'oneway') channel.countCall(-1);
    if (!call.wide) return;
    call.assembly?.drop();
    if (call.method.flags === 0) return;
    this.streams--;
    call.download?.release();
  }

  /** Stops the request and the upload of a call. Returns true if the request had begun to leave. */
  #stopSending(call: OutCall, error: TransportError): boolean {
    const unit = call.takeUnit();
    if (unit !== undefined) this.#outbox.remove(unit);
    call.upload?.stop(error);
    return unit?.begun === true;
  }

  // The peer's answers to our calls, matched by the id of the call (docs/wire-protocol.md §4).

  response(frame: Frame): void {
    const call = this.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (call.method.response === undefined || call.assembly !== undefined)
      return this.#context.violation(`RESPONSE to call ${frame.id}, which awaits no response`);
    if (frame.size > 0) return this.#long(frame, call);
    if (!this.#packets.short(frame)) return;
    this.#terminal(call);
    if (call.done) this.#context.count('lateReply', 1);
    else call.answered(this.#packets.keep(frame));
  }

  /** Handles the first packet of a long response. */
  #long(frame: Frame, call: OutCall): void {
    if (!this.#packets.long(frame)) return;
    const tooLarge = aboveCodec(call.method, 'response', frame.size, true);
    if (tooLarge !== undefined && !call.done) call.failed(tooLarge);
    this.#packets.begin(frame, call, !call.done);
  }

  item(frame: Frame): void {
    const call = this.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    const { download } = call;
    if (download === undefined || call.assembly !== undefined)
      return this.#context.violation(`ITEM for call ${frame.id}, which expects none`);
    this.#context.touch();
    download.receive(frame, this.#packets, !call.done, call);
    if (!call.done) call.progressed();
  }

  part(frame: Frame): void {
    const call = this.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (!this.#packets.packet(frame)) return;
    const { assembly, download } = call;
    if (assembly === undefined)
      return this.#context.violation(`PART for call ${frame.id}, which expects none`);
    if (!assembly.receive(frame)) return;
    const message = call.takeAssembly();
    if (download !== undefined) return download.push(message, assembly.cost);
    this.#terminal(call);
    if (call.done || message === undefined) this.#context.count('lateReply', 1);
    else call.answered(message);
  }

  end(frame: Frame): void {
    const call = this.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (call.download === undefined || call.assembly !== undefined)
      return this.#context.violation(`END of call ${frame.id}, which expects none`);
    this.#terminal(call);
    call.download.end(undefined);
    if (call.done) this.#context.count('lateReply', 1);
    else call.ended();
  }

  error(frame: Frame): void {
    const call = this.slots.get(frame.id);
    if (call === undefined || call.method.kind === 'oneway') return this.#unknown(frame);
    const error = remoteError(frame);
    if (error.reason === 'draining') this.#visitor.drains?.();
    this.#terminal(call);
    call.download?.end(error);
    if (call.done) this.#context.count('lateReply', 1);
    else call.failed(error);
  }

  /** Handles CREDIT for a stream that we upload. It is ignored if the call has already ended. */
  credit(frame: Frame): void {
    const call = this.slots.get(frame.id);
    if (call?.upload === undefined) return;
    call.upload.grant(frame.credit);
    if (!call.upload.stopped) call.taken();
  }

  #unknown(frame: Frame): void {
    this.#context.count('unknownAnswer', 1);
    this.#context.abused();
    const packet = frame.kind === Kind.ITEM || frame.kind === Kind.PART || frame.size > 0;
    if (packet) this.#packets.packet(frame);
  }

  /** Ends a call whose terminal frame was read: its id is free, its request and upload stop. */
  #terminal(call: OutCall): void {
    const channel = this.#channels.get(call.method.channel);
    if (call.wide) this.#stopSending(call, ANSWERED);
    this.#release(channel, call);
    this.admitWaiting(channel);
  }

  // Time and the end of the connection.

  /**
   * Fails, because the transport closes, all calls of which no packet was written to a batch,
   * except one-ways whose place in the order is certain.
   */
  failUnsent(error: TransportError): void {
    this.#end(error, (call) => call.writtenIn === 0 && !isPlaced(call));
  }

  /** Ends the calls of a protocol that closes. */
  failChannel({ byte }: Channel, error: TransportError): void {
    this.#end(error, ({ method }) => method.channel === byte);
  }

  /** Ends some calls: unsent ones are taken back, the others are canceled. */
  #end(error: TransportError, isMeant: (call: OutCall) => boolean): void {
    const calls: OutCall[] = [];
    this.#visitUnsettled((call) => {
      if (isMeant(call)) calls.push(call);
    });
    for (const call of calls) {
      // It was accepted if the end of an earlier call freed credit for it.
      if (call.done) continue;
      const { sent } = call;
      // The end of an earlier call may have moved this one to another connection.
      call.carrier?.abandon(call);
      call.failed(withoutStack(error, { sent }));
    }
  }

  /** Fails all calls in flight, because the grace period is over. */
  failAll(error: TransportError): void {
    for (const call of this.slots.values())
      if (!call.done) call.failed(withoutStack(error, { sent: call.sent }));
  }

  /** Removes the calls that waited for room and returns them in order, to be sent elsewhere. */
  takeWaiting(): OutCall[] {
    const taken = this.#queues.flatMap((queue) => [...queue]);
    for (const call of taken) {
      this.#endWait(call);
      call.carryBy(undefined);
    }
    return taken.sort((a, b) => a.seq - b.seq);
  }

  /** All queues in which calls wait for room. */
  get #queues(): List<OutCall>[] {
    const channels = this.#channels.all;
    return [this.#waitingStreams, ...channels.flatMap((each) => [each.waiting, each.waitingLong])];
  }

  /**
   * Visits all calls that have not settled. Those that wait for room or credit come first, because
   * the end of a call in flight may admit or pay for one of them. (Each wake-up does this, and a
   * generator would cost more.)
   */
  #visitUnsettled(visit: (call: OutCall) => void): void {
    const visitOpen = (call: OutCall) => {
      if (!call.done) visit(call);
    };
    if (this.#outbox.awaited > 0)
      for (const queue of this.#queues) for (const call of queue) visitOpen(call);
    // Short one-ways in the lanes have no id, so they are not among the open calls.
    for (const { lanes } of this.#channels.all)
      for (const { kind, id, sender } of lanes.short)
        if (kind === Kind.ONEWAY && id === 0) visitOpen(sender as OutCall);
    for (const call of this.slots.values()) visitOpen(call);
  }

  /** Ends the calls whose deadline has passed; returns the next time at which one may expire. */
  wake(now: number): number {
    let next = NEVER;
    // May end the visited call: a List allows it, and `slots.values()` is a copy.
    this.#visitUnsettled((call) => {
      if (call.due <= now) call.expired(now);
      if (!call.done && call.due < next) next = call.due;
    });
    return Math.min(next, this.#freePlaces(now));
  }

  /**
   * Ends all calls because the connection has ended. Returns those that no handler can have seen,
   * in order; the others fail, and so do streaming calls whose streams were handed out.
   * @param arrived true if everything that was written is known to have arrived, so no one-way is
   *   lost.
   */
  close(error: TransportError, arrived: boolean): OutCall[] {
    const unsent: OutCall[] = [];
    let lost = 0;
    const over = (call: OutCall) => {
      const { sent, download } = call;
      this.#stopSending(call, error);
      download?.end(error);
      this.#release(this.#channels.get(call.method.channel), call);
      if (call.done) return;
      // The user of an accepted streaming call already holds its streams, so it can't be started
      // again.
      if (sent || (call.method.flags !== 0 && call.writtenIn !== 0))
        call.failed(withoutStack(error, { sent }));
      else {
        call.unsend();
        unsent.push(call);
      }
    };
    for (const { lanes } of this.#channels.all) {
      if (!arrived) lost += lanes.undone;
      for (const lane of lanes.lists) {
        if (lane === lanes.replies) continue; // Thousands may wait, and none is a one-way.
        for (const unit of lane) {
          if (unit.kind !== Kind.ONEWAY) continue;
          const call = unit.sender as OutCall;
          // It counts as lost only if its sender believes that it was sent. If it has begun,
          // `undone` has counted it already.
          if (unit.begun && !arrived) lost--;
          if (call.done) lost++;
          over(call);
        }
      }
    }
    if (lost > 0) this.#context.count('onewayLost', lost);
    for (const call of [...this.takeWaiting(), ...this.slots.values()]) over(call);
    return unsent.sort((a, b) => a.seq - b.seq);
  }
}

/** True if a request has begun to leave, or is a one-way whose place in the order is certain. */
function isPlaced({ unit, method }: OutCall): boolean {
  return unit !== undefined && (unit.begun || (method.kind === 'oneway' && !unit.unpaid));
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
