// The peer's calls that this end serves, by id, from their admission to the terminal frame
// (docs/wire-protocol.md §4).
//
// Owns the open calls, their deadlines and their answers. `Callee` tells it which calls begin, and
// the `rpc` layer answers them through it. It writes answers into the batch or queues them in the
// outbox. If a caller is gone, it withdraws the call from its protocol.
//
// Below are Deadlines, a heap of calls by time, and PeerIds, the table of the peer's calls by id.

import { stackless, TransportError } from '../errors.ts';
import { DOWNLOAD, EMPTY, Kind, slotOf, UNPROCESSED, UPLOAD } from '../wire/frame.ts';
import { errorFrame } from '../wire/metadata.ts';
import type { Batch } from './batch.ts';
import { type AnswerCarrier, type Channel, type InCall, unserved } from './incoming-calls.ts';
import type { Outbox } from './outbox.ts';
import { kept, type Lanes, Outgoing } from './outgoing.ts';
import type { SessionContext } from './session-context.ts';
import { InStream, OutStream } from './streams.ts';

/** The peer's open calls. */
export class ServedCalls implements AnswerCarrier {
  readonly ids = new PeerIds<InCall>();
  /** The number of open streaming calls. */
  streams = 0;
  readonly #deadlines = new Deadlines<InCall>();
  readonly #context: SessionContext;
  readonly #batch: Batch;
  readonly #outbox: Outbox;

  constructor(outbox: Outbox) {
    this.#context = outbox.context;
    this.#batch = outbox.batch;
    this.#outbox = outbox;
  }

  // Beginning.

  /** Enters a request that was admitted, with the streams of its method. */
  open(call: InCall): void {
    this.ids.set(call);
    call.channel.countIncoming(1);
    this.#context.wakeBy(call.due);
    if (call.method.flags !== 0) this.#openStreams(call);
  }

  #openStreams(call: InCall): void {
    this.streams++;
    const { id, channel } = call;
    const { flags, download } = call.method;
    call.openStreams(
      flags & UPLOAD ? new InStream(this.#context, this.#batch, id) : undefined,
      flags & DOWNLOAD ? new OutStream(this.#outbox, channel.lanes, id, download!) : undefined,
    );
  }

  /** Keeps the deadline of a call that was not answered immediately. */
  watchDeadline(call: InCall): void {
    if (call.due < NEVER && (call.open || call.reply !== undefined))
      this.#deadlines.add(call, call.due);
  }

  expires(call: InCall, time: number): void {
    this.#deadlines.add(call, time);
    this.#context.wakeBy(time);
  }

  congested(channel: Channel): boolean {
    const { lanes } = channel;
    // Lanes without answers that wait are not asked, as for almost all calls.
    if (lanes.replies.length === 0 && lanes.longReplies.messages === 0) return false;
    if (!lanes.congested(this.#context.limits.outbound)) return false;
    channel.stall();
    return true;
  }

  // Answers of the reader.

  respond(call: InCall, payload: Uint8Array): boolean {
    if (!call.open) return false;
    const { packet, message } = this.#context.terms;
    const { length } = payload;
    const { lanes } = call.channel;
    this.#context.touch();
    if (
      length > packet ||
      length > message ||
      lanes.replies.length > 0 ||
      !this.#outbox.straight(length)
    )
      return this.#queueReply(call, lanes, payload);
    call.close();
    this.#batch.answer(Kind.RESPONSE, call.id, payload, call.method.response!.owned === true);
    this.forget(call);
    this.#batch.wrote();
    return true;
  }

  /** Queues a response that is long or has to wait; sends an error if there is no room for it. */
  #queueReply(call: InCall, lanes: Lanes, payload: Uint8Array): boolean {
    const { terms, usage, memory } = this.#context;
    if (payload.length > terms.message) {
      const message = `${call.method.full}: a response of ${payload.length} bytes is above limits.message, ${terms.message} bytes with this peer; stream it with a download`;
      const error = new TransportError('resource_exhausted', message, { reason: 'too_large' });
      return this.fail(call, error, false);
    }
    if (!memory.fits(payload.length)) {
      const message = `${call.method.full}: ${memory.noRoom('a response', payload.length)}`;
      return this.fail(call, new TransportError('resource_exhausted', message), false);
    }
    call.close();
    const own = kept(payload, call.method.response);
    const unit = new Outgoing(Kind.RESPONSE, call.id, own, call);
    call.queueReply(unit);
    this.#outbox.push(lanes, unit, 'replies');
    usage.makeRoom();
    return true;
  }

  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean {
    if (!call.close()) return false;
    this.#sendError(call, error, unprocessed);
    call.observer?.failed(error);
    return true;
  }

  finish(call: InCall): boolean {
    if (!call.close()) return false;
    call.download!.close(new Outgoing(Kind.END, call.id, EMPTY, call));
    return true;
  }

  abort(call: InCall, error: TransportError, unprocessed = false): void {
    if (call.method.kind === 'oneway') {
      call.giveBack(true);
      this.#context.count('onewayDropped', 1);
      call.endAssembly();
      return void this.ids.delete(call);
    }
    if (!call.open && call.reply === undefined && call.download === undefined) return;
    const reply = call.takeReply();
    if (reply !== undefined) this.#outbox.remove(call.channel.lanes, reply);
    call.close();
    call.download?.stop(error);
    this.#leave(call, error);
    this.#sendError(call, error, unprocessed);
  }

  /** Refuses a call that has waited long enough for a reader. */
  #refuseUnserved(call: InCall): void {
    this.#context.count('refusedCall', 1);
    this.abort(call, unserved(call.method), true);
  }

  /**
   * Releases what a call holds on this side: its place in the inbound queue, its upload, an
   * incomplete request, and the credit of a request that no reader has taken.
   */
  #leave(call: InCall, error: TransportError): void {
    call.upload?.end(error);
    call.endAssembly();
    // The inbox has counted a waiting call by its account, so the credit is given back afterwards.
    if (call.channel.inbound.remove(call)) call.channel.mounted?.withdrawn(call);
    call.giveBack(true);
    call.left(error);
  }

  #sendError(call: InCall, error: TransportError, unprocessed: boolean): void {
    const { download } = call;
    const { lanes } = call.channel;
    const flags = unprocessed ? UNPROCESSED : 0;
    const frame = errorFrame(error);
    const isBehindItems = download?.busy === true;
    if (!isBehindItems && this.#outbox.error(lanes, call.id, flags, frame)) {
      download?.stop(error);
      this.forget(call);
      return this.#batch.wrote();
    }
    const unit = Outgoing.error(call.id, flags, frame, call);
    if (isBehindItems) return download.close(unit);
    call.queueReply(unit);
    this.#outbox.push(lanes, unit, 'replies');
  }

  forget(call: InCall): void {
    if (!this.ids.delete(call)) return;
    this.#deadlines.remove(call);
    call.dropPayload();
    call.channel.countIncoming(-1);
    if (call.method.flags !== 0) this.#closeUpload(call);
  }

  #closeUpload(call: InCall): void {
    this.streams--;
    call.upload?.end(ANSWERED);
    call.upload?.release();
  }

  // Time and the end of the connection.

  /** Ends the calls whose time is up. Returns the next time at which one may be due. */
  wake(now: number): number {
    const deadlines = this.#deadlines;
    let ended = 0;
    for (let call = deadlines.first; call !== undefined; call = deadlines.first) {
      if (deadlines.next > now) break;
      // Further calls end in a later turn, so that others are served in between.
      if (++ended > EXPIRED_AT_ONCE) return now;
      deadlines.remove(call);
      if (call.due <= now) this.#expired(call);
      else if (call.open && call.refuseAt <= now) this.#refuseUnserved(call);
      // A reader has been added in the meantime, or the call's reply waits to be sent.
      else deadlines.add(call, call.open ? Math.min(call.due, call.refuseAt) : call.due);
    }
    return deadlines.next;
  }

  #expired(call: InCall): void {
    // Its handler has ended; only items of its stream are still on their way.
    if (!call.open && call.reply === undefined) return;
    this.abort(
      call,
      stackless('deadline_exceeded', `${call.method.full}: the caller's deadline passed`),
    );
  }

  /** Aborts the calls of a protocol that closes; the callers receive the error. */
  failChannel(channel: Channel, error: TransportError): void {
    for (const call of this.ids.values()) if (call.channel === channel) this.abort(call, error);
  }

  /**
   * Ends all calls because the connection has ended and no answers are awaited. One-ways that
   * arrived completely are still delivered. Returns the calls whose handlers must be notified.
   */
  close(error: TransportError): InCall[] {
    const untold: InCall[] = [];
    for (const call of this.ids.values()) {
      const whole = call.assembly === undefined;
      call.close();
      call.takeReply();
      call.download?.stop(error);
      call.upload?.end(error);
      call.upload?.release();
      call.endAssembly();
      this.ids.delete(call);
      if (call.channel.inbound.remove(call)) call.channel.mounted?.withdrawn(call);
      if (whole && call.leaves(error)) untold.push(call);
    }
    return untold;
  }
}

const NEVER = Number.POSITIVE_INFINITY;
/**
 * Maximum number of expired calls that are ended in one turn, which takes 1 to 2 ms if their
 * handlers use signals.
 */
const EXPIRED_AT_ONCE = 64;
const ANSWERED = new TransportError('cancelled', 'the call was answered');

// Deadlines orders calls by the time at which something is due, so that a wake-up costs nothing for
// the other calls. It is a binary heap: most times are added in ascending order, and then a new
// entry stays in its place.

/**
 * A heap of entries by time, from which any entry can be removed. An entry can be in one heap at a
 * time.
 */
export class Deadlines<T extends Pick<InCall, 'place'>> {
  readonly #times: number[] = [];
  readonly #entries: T[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** The earliest time; Infinity if there is none. */
  get next(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The entry with the earliest time. */
  get first(): T | undefined {
    return this.#entries[0];
  }

  /** Adds an entry; one that is in the heap keeps the earlier of its two times. */
  add(entry: T, time: number): void {
    const at = entry.place < 0 ? this.#times.length : entry.place;
    if (entry.place < 0 || time < this.#times[at]!) this.#raise(entry, time, at);
  }

  /** Removes an entry, if it is in the heap. */
  remove(entry: T): void {
    const at = entry.place;
    if (at < 0) return;
    entry.place = -1;
    const time = this.#times.pop()!;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    if (at > 0 && this.#times[(at - 1) >> 1]! > time) this.#raise(last, time, at);
    else this.#lower(last, time, at);
  }

  /** Puts an entry at the free place `at`, or nearer to the first one. */
  #raise(entry: T, time: number, at: number): void {
    const times = this.#times;
    for (let place = at; ; ) {
      const parent = (place - 1) >> 1;
      if (place === 0 || times[parent]! <= time) return this.#put(entry, time, place);
      this.#put(this.#entries[parent]!, times[parent]!, place);
      place = parent;
    }
  }

  /** Puts an entry at the free place `at`, or farther from the first one. */
  #lower(entry: T, time: number, at: number): void {
    const times = this.#times;
    for (let place = at; ; ) {
      let child = place * 2 + 1;
      if (child + 1 < times.length && times[child + 1]! < times[child]!) child++;
      if (child >= times.length || times[child]! >= time) return this.#put(entry, time, place);
      this.#put(this.#entries[child]!, times[child]!, place);
      place = child;
    }
  }

  #put(entry: T, time: number, place: number): void {
    this.#times[place] = time;
    this.#entries[place] = entry;
    entry.place = place;
  }
}

// The peer's calls by their id on the wire. The peer may choose any ids of its parity. The callee
// enters and removes its calls.

/** The peer's calls: an array indexed by slot while ids are dense, and a Map for the rest. */
export class PeerIds<T extends { readonly id: number }> {
  private readonly dense: (T | undefined)[] = [];
  #rest: Map<number, T> | undefined = undefined;
  size = 0;
  /** The highest slot used since the last `takePeak`, plus one. */
  #peak = 0;

  get(id: number): T | undefined {
    const entry = this.dense[slotOf(id)];
    if (entry !== undefined && entry.id === id) return entry;
    return this.#rest?.get(id);
  }

  set(entry: T): void {
    const { dense } = this;
    const slot = slotOf(entry.id);
    if (slot >= this.#peak) this.#peak = slot + 1;
    this.size++;
    if (slot <= dense.length && slot < DENSE && dense[slot] === undefined) dense[slot] = entry;
    else this.#setElsewhere(entry);
  }

  /**
   * Returns the highest slot used since the last call, plus one. With dense ids this is the number
   * of calls in flight.
   */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  #setElsewhere(entry: T): void {
    this.#rest ??= new Map();
    this.#rest.set(entry.id, entry);
  }

  /** Removes an entry; returns false if it was not in the table. */
  delete(entry: T): boolean {
    const slot = slotOf(entry.id);
    if (this.dense[slot] === entry) this.dense[slot] = undefined;
    else if (!this.#deleteElsewhere(entry)) return false;
    this.size--;
    return true;
  }

  #deleteElsewhere(entry: T): boolean {
    return this.#rest?.get(entry.id) === entry && this.#rest.delete(entry.id);
  }

  *values(): IterableIterator<T> {
    for (const entry of this.dense) if (entry !== undefined) yield entry;
    if (this.#rest !== undefined) yield* this.#rest.values();
  }
}

/**
 * The maximum length of the dense array, so that a peer can't make this end use memory by its
 * choice of ids.
 */
const DENSE = 8_192;
