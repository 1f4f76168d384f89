// One direction of a connection at level 'message': each message may be lost, duplicated or
// overtaken, and the sessions at both ends do not notice. Sessions rely on every frame, so the line
// compensates for its losses: it returns the credit that a lost message had spent, and answers the
// cancellation of a call that will never be answered. It owns the table of its writer's calls. The
// path and the interceptors decide what happens to a message.

import { ERROR_CODES, type ProtocolMethod } from '@trunkline/transport-core/backend';
import {
  Account,
  Frame,
  HIGHEST_CALL_ID,
  Kind,
  methodTable,
} from '@trunkline/transport-core/internal';
import { checksum, NO_EVENT, TraceKind } from '../kernel/trace.ts';
import { CreditReserve } from './credit-reserve.ts';
import { type CreditFields, InFlightFrame, roleOf, traceNames } from './in-flight-frame.ts';
import { MessageView, messageOf } from './message-view.ts';
import { type LineParts, SimLine } from './sim-line.ts';
import { CallTable, type TrackedCall, trackedCall } from './tracked-calls.ts';

/** One direction of a connection that carries frames. */
export class MessageLine extends SimLine<Frame[], InFlightFrame[]> {
  declare back: MessageLine;
  /** The parity of the ids of calls that the writer opens. */
  readonly #parity: 0 | 1;
  /**
   * The writer's calls by id: those that the writer has opened, and those that the reader knows,
   * which follow a little later.
   */
  #opened: CallTable | undefined;
  #known: CallTable | undefined;
  /** Time at which the last message that may be overtaken arrives. */
  #looseUntil = 0;
  /** True if the writer's GO_AWAY has arrived. Messages behind it are lost. */
  #over = false;
  #copies = 0;
  /** Time at which READY arrives; no message arrives before it. */
  #readyAt = 0;
  /** Credit for copies and lengthened messages; set once the reader's hello has passed. */
  #reserve = CreditReserve.NONE;
  /** The method whose trace names were needed last, with these names. */
  #lastMethod: ProtocolMethod | undefined;
  #lastWords: readonly number[] | undefined;

  constructor(parts: LineParts<Frame[]>) {
    super(parts);
    this.#parity = parts.parity;
  }

  // Sending: the writer's frames become frames in flight.

  put(batch: Frame[]): void {
    if (!this.from.alive) return;
    const { path } = this;
    const { reorder, duplicate } = path.settings;
    let inOrder: InFlightFrame[] | undefined;
    let loose: InFlightFrame[] | undefined;
    let size = 0;
    let ready = false;
    let last = false;
    for (const frame of batch) {
      const inFlight = this.#inFlight(frame);
      if (inFlight === undefined) continue;
      if (inFlight.role !== 'control') this.#traceSent(inFlight);
      if (inFlight.movable && path.chance(reorder)) loose = [...(loose ?? []), inFlight];
      else {
        if (inOrder === undefined) inOrder = [inFlight];
        else inOrder.push(inFlight);
        size += inFlight.cost;
        ready ||= frame.kind === Kind.READY;
        last ||= frame.kind === Kind.GO_AWAY;
      }
      if (inFlight.movable && inFlight.role !== 'answer' && path.chance(duplicate))
        loose = [...(loose ?? []), this.#copyOf(inFlight)];
    }
    if (inOrder !== undefined) this.#sendInOrder(inOrder, size, last ? this.#looseUntil : 0);
    if (ready) this.#readyAt = this.lastAt;
    if (loose !== undefined) for (const inFlight of loose) this.#sendLoose(inFlight);
  }

  override finish(): void {
    this.lastAt = Math.max(this.lastAt, this.#looseUntil);
    super.finish();
  }

  protected override reset(): void {
    this.lastAt = Math.max(this.lastAt, this.#looseUntil);
    super.reset();
  }

  /** Records a message that is sent, together with the start of its call. */
  #traceSent(inFlight: InFlightFrame): void {
    const { role, call, word, frame, check } = inFlight;
    inFlight.sent = this.loop.trace.events;
    if (call !== undefined && (role === 'request' || role === 'oneway')) call.event = inFlight.sent;
    this.trace(TraceKind.sent, word, frame.payload.length, check, NO_EVENT, call?.event);
  }

  #sendInOrder(frames: InFlightFrame[], size: number, notBefore: number): void {
    const { path, loop } = this;
    const delay = path.delay(loop.now, size, false);
    const rest = delay === undefined ? this.survivesCut(frames) : frames;
    if (rest === undefined) return;
    this.cross(rest, delay ?? path.delay(loop.now, size, true)!, notBefore);
  }

  #sendLoose(inFlight: InFlightFrame): void {
    const { path, loop } = this;
    const at = Math.max(
      this.#readyAt,
      loop.now + path.delay(loop.now, inFlight.cost, true)! + path.detour(),
    );
    if (!inFlight.copy) this.#looseUntil = Math.max(this.#looseUntil, at);
    this.crossAt(at, [inFlight]);
  }

  /**
   * Returns a second copy of a message. A copied request gets a different id, so that the session
   * can distinguish it from the first one.
   */
  #copyOf(inFlight: InFlightFrame): InFlightFrame {
    if (inFlight.call === undefined) return inFlight.copied(0);
    return inFlight.copied(COPIES + 2 * (this.#copies++ % MOST_COPIES) + this.#parity);
  }

  /**
   * Returns a frame with its call. Returns undefined if the frame is not passed on, because it
   * answers a copy or its credit went into the reserve.
   */
  #inFlight(frame: Frame): InFlightFrame | undefined {
    const { kind, id } = frame;
    if (kind === Kind.HELLO) this.back.#reserve = CreditReserve.of(frame);
    if (
      kind === Kind.CREDIT &&
      frame.account === Account.INBOX &&
      !this.back.#reserve.grants(frame)
    )
      return undefined;
    if (id === 0 || kind === Kind.PING || kind === Kind.PONG) {
      const words = this.#words(kind === Kind.ONEWAY ? this.#method(frame) : undefined);
      return new InFlightFrame(frame, roleOf(frame, undefined), undefined, words[kind] ?? 0);
    }
    const call = this.#callOf(frame);
    const inFlight = new InFlightFrame(
      frame,
      roleOf(frame, call),
      call,
      (call?.words ?? this.#words(undefined))[kind] ?? 0,
    );
    if (call?.copy !== true) return inFlight;
    if (inFlight.role === 'answer') this.back.#reserve.giveCall();
    this.#repay(inFlight);
    return undefined;
  }

  #callOf(frame: Frame): TrackedCall | undefined {
    const { kind, id } = frame;
    if (kind === Kind.REQUEST || kind === Kind.ONEWAY) {
      const method = this.#method(frame);
      const call = trackedCall(frame, method, this.#words(method));
      this.#opened ??= new CallTable();
      this.#opened.set(call);
      return call;
    }
    return (id & 1) === this.#parity ? this.#opened?.get(id) : this.back.#known?.get(id);
  }

  #method(frame: Frame): ProtocolMethod | undefined {
    const protocol = this.to.protocols.get(frame.channel) ?? this.from.protocols.get(frame.channel);
    return protocol && methodTable(protocol).byId.get(frame.method);
  }

  // Receiving: frames in flight arrive.

  protected deliver(arrived: InFlightFrame[]): void {
    let frames: Frame[] | undefined;
    for (const inFlight of arrived) {
      if (!this.#passes(inFlight)) continue;
      const { frame } = inFlight;
      const kind = inFlight.copy
        ? TraceKind.duplicated
        : inFlight.role === 'control'
          ? TraceKind.control
          : TraceKind.arrived;
      const { word, check, sent, call } = inFlight;
      this.trace(kind, word, frame.payload.length, check, sent, call?.event);
      if (frames === undefined) frames = [frame];
      else frames.push(frame);
    }
    if (frames !== undefined) this.end.arrive(frames);
  }

  protected survivesCut(frames: InFlightFrame[]): InFlightFrame[] | undefined {
    const survivesCut = frames.filter((inFlight) => {
      const lost = inFlight.lossy || inFlight.copy;
      if (lost) this.#lose(inFlight);
      return !lost;
    });
    return survivesCut.length > 0 ? survivesCut : undefined;
  }

  /** Returns true if a frame reaches the reader, and compensates for one that does not. */
  #passes(inFlight: InFlightFrame): boolean {
    const { role, call, frame } = inFlight;
    if (role === 'control') {
      this.#over ||= frame.kind === Kind.GO_AWAY;
      return true;
    }
    if (inFlight.copy) return this.#copyPasses(inFlight);
    if (call !== undefined && this.#isHeldUp(inFlight, call)) return false;
    if (role === 'cancel') return this.#cancels(inFlight);
    if (call?.lost === true) {
      this.#repay(inFlight);
      return false;
    }
    const over = this.#over && inFlight.lossy && role !== 'answer';
    if (over || (inFlight.lossy && !inFlight.judged && this.path.loses())) {
      this.#lose(inFlight);
      return false;
    }
    const { inboxCost } = inFlight;
    if (!this.interceptors.empty && !inFlight.judged && !this.#judged(inFlight)) return false;
    if (role === 'request') this.#arrives(call!);
    else if (role === 'oneway' && call !== undefined) call.arrived = true;
    this.#reserve.arrives(frame.channel, Math.min(inboxCost, inFlight.inboxCost));
    return true;
  }

  #arrives(call: TrackedCall): void {
    call.arrived = true;
    this.#known ??= new CallTable();
    if (call.copy) this.#known.setAside(call);
    else this.#known.set(call);
  }

  /**
   * Returns true if a copy reaches the reader: the writer must still be allowed to open calls, and
   * the reader must have room.
   */
  #copyPasses({ call, frame, inboxCost }: InFlightFrame): boolean {
    if (this.#over || this.path.loses()) return false;
    if (call === undefined) return this.#reserve.take(frame.channel, inboxCost, 1);
    if (!this.#reserve.takeCall()) return false;
    this.#arrives(call);
    return true;
  }

  /**
   * Handles a cancellation. Returns true if it reaches the reader. If the call was lost or has not
   * arrived, the network answers the cancellation.
   */
  #cancels({ call }: InFlightFrame): boolean {
    if (call === undefined) return true;
    const { lost, arrived } = call;
    call.cancelled = true;
    if (lost || !arrived) {
      call.lost = true;
      this.#answerFor(call);
    }
    return arrived;
  }

  #lose(inFlight: InFlightFrame): void {
    const { call, word, sent, frame } = inFlight;
    this.trace(TraceKind.lost, word, frame.payload.length, 0, sent, call?.event);
    if (inFlight.copy) return;
    if (call !== undefined) {
      if (call.cancelled && !call.lost) this.#answerFor(call);
      call.lost = true;
    }
    this.#repay(inFlight);
  }

  /**
   * Ends a canceled call that will get no answer. Otherwise it would count against its caller's
   * limit forever.
   */
  #answerFor({ id, method }: TrackedCall): void {
    if (method?.kind === 'oneway') return;
    const answer = Object.assign(new Frame(), {
      kind: Kind.ERROR,
      id,
      code: ERROR_CODES.cancelled,
      text: 'the network lost it',
    });
    ((id & 1) === this.#parity ? this.back : this).#control(answer);
  }

  /**
   * Gives the writer back the credit that a lost frame had spent, as the reader would have done.
   */
  #repay(inFlight: InFlightFrame): void {
    inFlight.refund((spent) => this.back.#credit(spent));
  }

  /** Sends a frame of the network itself, which is never lost. */
  #control(frame: Frame): void {
    this.cross(
      [new InFlightFrame(frame, 'control', undefined, this.#words(undefined)[frame.kind]!)],
      this.latency(),
    );
  }

  #credit(fields: CreditFields): void {
    this.#control(Object.assign(new Frame(), { kind: Kind.CREDIT }, fields));
  }

  // Interceptors.

  #judged(inFlight: InFlightFrame): boolean {
    const { frame, role, call } = inFlight;
    const method = call?.method ?? (role === 'oneway' ? this.#method(frame) : undefined);
    const seen = messageOf(frame, method, (frame.id & 1) === this.#parity);
    if (seen === undefined) return true;
    const { kind, codec } = seen;
    const view = new MessageView(seen, this.from.name, this.to.name, this.loop.now);
    const verdict = this.interceptors.judge(view);
    inFlight.judged = true;
    if (verdict === undefined) return true;
    if (verdict === 'drop') this.#lose(inFlight);
    else if ('delay' in verdict) this.#putOff(inFlight, verdict.delay);
    else {
      if (codec === undefined || !inFlight.whole)
        throw new TypeError(
          `intercept: a ${kind} of ${frame.payload.length} bytes can't be mutated, because it has no codec or has several packets`,
        );
      this.#mutate(inFlight, codec.encode(verdict.mutate as never).slice());
      return true;
    }
    return false;
  }

  /**
   * Replaces a payload, and adjusts the credit of both ends, because each end counts the bytes that
   * it sees.
   */
  #mutate(inFlight: InFlightFrame, payload: Uint8Array): void {
    const { frame, role } = inFlight;
    if (payload.length > MOST_MUTATED)
      throw new TypeError(
        `intercept: a message of ${payload.length} bytes is too long for one packet; before it was mutated it had ${frame.payload.length}`,
      );
    const more = payload.length - frame.payload.length;
    frame.payload = payload;
    inFlight.check = checksum(payload);
    if (role === 'oneway') {
      if (more < 0)
        this.back.#credit({ account: Account.INBOX, credit: -more, channel: frame.channel });
      else if (more > 0 && !this.#reserve.take(frame.channel, more, 0))
        throw new TypeError(GROWN(`a one-way by ${more}`));
    } else if (frame.kind === Kind.ITEM && more !== 0) {
      if (more > 0) throw new TypeError(GROWN(`an item by ${more}`));
      this.back.#credit({ account: Account.PIPE, credit: -more });
      this.back.#credit({ account: Account.STREAM, credit: -more, id: frame.id });
    }
  }

  /** Delays a frame together with the rest of the same message or stream. */
  #putOff(inFlight: InFlightFrame, delay: number): void {
    const { call } = inFlight;
    const at = this.loop.now + delay;
    if (call !== undefined && (!inFlight.whole || call.streams)) call[this.#side(call)] = at;
    this.#looseUntil = Math.max(this.#looseUntil, at);
    inFlight.heldUntil = at;
    this.crossAt(at, [inFlight]);
  }

  /**
   * Returns true if a frame has to wait behind a delayed one of its call. A frame that arrives just
   * when the delay ends waits, too, because its event may come before that of the delayed frame.
   */
  #isHeldUp(inFlight: InFlightFrame, call: TrackedCall): boolean {
    const until = call[this.#side(call)];
    if (until < this.loop.now || inFlight.heldUntil === until) return false;
    inFlight.heldUntil = until;
    this.crossAt(until, [inFlight]);
    return true;
  }

  /**
   * Name of the hold-up time that applies to a call in this direction: whether the writer is its
   * caller or its callee decides.
   */
  #side({ id }: TrackedCall): 'outboundAt' | 'inboundAt' {
    return (id & 1) === this.#parity ? 'outboundAt' : 'inboundAt';
  }

  #words(method: ProtocolMethod | undefined): readonly number[] {
    if (this.#lastWords === undefined || method !== this.#lastMethod) {
      this.#lastWords = traceNames(this.loop.trace, method);
      this.#lastMethod = method;
    }
    return this.#lastWords;
  }
}

/** The lowest id of copies, above the ids that a session issues. */
const COPIES = HIGHEST_CALL_ID + 1;
const MOST_COPIES = 4_096;
/**
 * Maximum length of a mutated message in bytes: the default packet size. With smaller packets
 * (`limits.packet`) the reader refuses a message above its own limit.
 */
const MOST_MUTATED = 64 * 1024;
const GROWN = (what: string) =>
  `intercept: ${what} bytes can't be made longer, because its reader has granted no credit for them; mutate it into a value of the same length, or a shorter one`;
