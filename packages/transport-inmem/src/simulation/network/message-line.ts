// Messages on a simulated link: each may be lost, duplicated or overtaken, without the sessions at
// either end noticing. Sessions count on every frame, so the network makes up for what it loses: it
// returns the credit that a lost message had spent, and answers the cancellation of a call that
// will never be answered.

import { Account, CODES, type Codec, Frame, Kind, type Method, methodTable } from '@trunkline/transport-core';
import { checksum, Happening } from '../world/trace.ts';
import { IdMap } from './id-map.ts';
import { type InterceptedMessage, type Interceptors, MessageView } from './interceptors.ts';
import { Letter, roleOf, type TrackedCall } from './letter.ts';
import { Reserve } from './reserve.ts';
import { SimLine } from './sim-line.ts';

/** One direction of a connection that carries frames. */
export class MessageLine extends SimLine<Frame[], Letter[]> {
  declare back: MessageLine;
  readonly #interceptors: Interceptors;
  /** The parity of the ids of calls that the writer opens. */
  readonly #parity: 0 | 1;
  /**
   * The writer's calls by id: as the writer has opened them, and, somewhat later, as the reader
   * knows them.
   */
  #opened: IdMap<TrackedCall> | undefined;
  #known: IdMap<TrackedCall> | undefined;
  /** When the last message that may be overtaken arrives. */
  #looseUntil = 0;
  /** Whether the writer's GO_AWAY has arrived. Messages behind it are lost. */
  #over = false;
  #copies = 0;
  /** When READY arrives; no message arrives before it. */
  #readyAt = 0;
  /** Credit for copies and longer messages; set once the reader's hello has passed. */
  #reserve = Reserve.NONE;

  constructor(interceptors: Interceptors, parity: 0 | 1, ...rest: ConstructorParameters<typeof SimLine<Frame[], Letter[]>>) {
    super(...rest);
    this.#interceptors = interceptors;
    this.#parity = parity;
  }

  // Sending: the writer's frames become letters.

  put(batch: Frame[]): void {
    if (!this.from.alive) return;
    const { path } = this;
    const { reorder, duplicate } = path.settings;
    const inOrder: Letter[] = [];
    let loose: Letter[] | undefined;
    let size = 0;
    let ready = false;
    let last = false;
    for (const frame of batch) {
      const letter = this.#letter(frame);
      if (letter === undefined) continue;
      if (letter.role !== 'control') this.trace(Happening.sent, letter.word, frame.payload.length, letter.check);
      if (letter.movable && path.chance(reorder)) loose = [...(loose ?? []), letter];
      else {
        inOrder.push(letter);
        size += letter.cost;
        ready ||= frame.kind === Kind.READY;
        last ||= frame.kind === Kind.GO_AWAY;
      }
      if (letter.movable && letter.role !== 'answer' && path.chance(duplicate)) loose = [...(loose ?? []), this.#copyOf(letter)];
    }
    if (inOrder.length > 0) this.#sendInOrder(inOrder, size, last ? this.#looseUntil : 0);
    if (ready) this.#readyAt = this.lastAt;
    if (loose !== undefined) for (const letter of loose) this.#sendLoose(letter);
  }

  override finish(): void {
    this.lastAt = Math.max(this.lastAt, this.#looseUntil);
    super.finish();
  }

  protected override reset(): void {
    this.lastAt = Math.max(this.lastAt, this.#looseUntil);
    super.reset();
  }

  #sendInOrder(letters: Letter[], size: number, notBefore: number): void {
    const { path, world } = this;
    const delay = path.delay(world.now, size, false);
    const rest = delay === undefined ? this.spared(letters) : letters;
    if (rest === undefined) return;
    this.cross(rest, delay ?? path.delay(world.now, size, true)!, notBefore);
  }

  #sendLoose(letter: Letter): void {
    const { path, world } = this;
    const at = Math.max(this.#readyAt, world.now + path.delay(world.now, letter.cost, true)! + path.detour());
    if (!letter.copy) this.#looseUntil = Math.max(this.#looseUntil, at);
    this.crossAt(at, [letter]);
  }

  /**
   * Returns a second copy of a message. A copied request gets an id of its own, so that the session
   * can tell it from the first.
   */
  #copyOf(letter: Letter): Letter {
    const frame = Object.assign(Frame.empty(), letter.frame, { payload: letter.frame.payload.slice() });
    let call: TrackedCall | undefined;
    if (letter.call !== undefined) {
      frame.id = COPIES + 2 * (this.#copies++ % MOST_COPIES) + this.#parity;
      call = { ...letter.call, id: frame.id, copy: true };
    }
    const copy = new Letter(frame, letter.role, call, letter.word);
    copy.copy = true;
    return copy;
  }

  /**
   * Returns a frame with its call. Returns undefined if the frame goes no further, because it
   * answers a copy or its credit went into the reserve.
   */
  #letter(frame: Frame): Letter | undefined {
    const { kind, id } = frame;
    if (kind === Kind.HELLO) this.back.#reserve = Reserve.of(frame);
    if (kind === Kind.CREDIT && frame.account === Account.SHORT && !this.back.#reserve.grants(frame)) return undefined;
    if (id === 0 || kind === Kind.PING || kind === Kind.PONG) {
      const words = kind === Kind.ONEWAY ? this.#words(this.#method(frame)) : this.#words(undefined);
      return new Letter(frame, roleOf(frame, undefined), undefined, words[kind] ?? 0);
    }
    const call = this.#callOf(frame);
    const letter = new Letter(frame, roleOf(frame, call), call, (call?.words ?? this.#words(undefined))[kind] ?? 0);
    if (call?.copy !== true) return letter;
    if (letter.role === 'answer') this.back.#reserve.giveCall();
    this.#repay(letter);
    return undefined;
  }

  #callOf(frame: Frame): TrackedCall | undefined {
    const { kind, id } = frame;
    if (kind === Kind.REQUEST || kind === Kind.ONEWAY) {
      const method = this.#method(frame);
      const call = {
        id,
        method,
        words: this.#words(method),
        streams: frame.flags !== 0,
        arrived: false,
        lost: false,
        cancelled: false,
        outboundAt: 0,
        inboundAt: 0,
        copy: false,
      };
      this.#opened ??= new IdMap();
      this.#opened.set(call);
      return call;
    }
    return (id & 1) === this.#parity ? this.#opened?.get(id) : this.back.#known?.get(id);
  }

  #method(frame: Frame): Method | undefined {
    const protocol = this.to.protocols.get(frame.channel) ?? this.from.protocols.get(frame.channel);
    return protocol && methodTable(protocol).byId.get(frame.method);
  }

  // Receiving: letters arrive.

  protected deliver(letters: Letter[]): void {
    let frames: Frame[] | undefined;
    for (const letter of letters) {
      if (!this.#passes(letter)) continue;
      const { frame } = letter;
      const happening = letter.copy ? Happening.duplicated : letter.role === 'control' ? Happening.control : Happening.arrived;
      this.trace(happening, letter.word, frame.payload.length, letter.check);
      if (frames === undefined) frames = [frame];
      else frames.push(frame);
    }
    if (frames !== undefined) this.end.arrive(frames);
  }

  protected spared(letters: Letter[]): Letter[] | undefined {
    const spared = letters.filter((letter) => {
      const lost = letter.lossy || letter.copy;
      if (lost) this.#lose(letter);
      return !lost;
    });
    return spared.length > 0 ? spared : undefined;
  }

  /** Returns whether a letter reaches the reader, and makes up for one that does not. */
  #passes(letter: Letter): boolean {
    const { role, call, frame } = letter;
    if (role === 'control') {
      this.#over ||= frame.kind === Kind.GO_AWAY;
      return true;
    }
    if (letter.copy) return this.#copyPasses(letter);
    if (call !== undefined && this.#isHeldUp(letter, call)) return false;
    if (role === 'cancel') return this.#cancels(letter);
    if (call?.lost === true) {
      this.#repay(letter);
      return false;
    }
    const over = this.#over && letter.lossy && role !== 'answer';
    if (over || (letter.lossy && !letter.judged && this.path.loses())) {
      this.#lose(letter);
      return false;
    }
    const { wholeCost } = letter;
    if (!this.#interceptors.empty && !letter.judged && !this.#judged(letter)) return false;
    if (role === 'request') this.#arrives(call!);
    else if (role === 'oneway' && letter.whole) this.#reserve.arrives(frame.channel, Math.min(wholeCost, letter.wholeCost));
    return true;
  }

  #arrives(call: TrackedCall): void {
    call.arrived = true;
    this.#known ??= new IdMap();
    if (call.copy) this.#known.setAside(call);
    else this.#known.set(call);
  }

  /**
   * Returns whether a copy reaches the reader: the writer must still be allowed to open calls, and
   * the reader must have room.
   */
  #copyPasses({ call, frame, wholeCost }: Letter): boolean {
    if (this.#over || this.path.loses()) return false;
    if (call === undefined) return this.#reserve.take(frame.channel, wholeCost);
    if (!this.#reserve.takeCall()) return false;
    this.#arrives(call);
    return true;
  }

  /**
   * Handles a cancellation, and returns whether it reaches the reader. If the call was lost or has
   * not arrived, the network answers the cancellation.
   */
  #cancels({ call }: Letter): boolean {
    if (call === undefined) return true;
    const { lost, arrived } = call;
    call.cancelled = true;
    if (lost || !arrived) {
      call.lost = true;
      this.#answerFor(call);
    }
    return arrived;
  }

  #lose(letter: Letter): void {
    const { call } = letter;
    this.trace(Happening.lost, letter.word, letter.frame.payload.length, 0);
    if (letter.copy) return;
    if (call !== undefined) {
      if (call.cancelled && !call.lost) this.#answerFor(call);
      call.lost = true;
    }
    this.#repay(letter);
  }

  /**
   * Ends a canceled call that will get no answer. Otherwise it would count against its caller's
   * limit forever.
   */
  #answerFor({ id, method }: TrackedCall): void {
    if (method?.kind === 'oneway') return;
    const answer = Object.assign(Frame.empty(), { kind: Kind.ERROR, id, code: CODES.cancelled, text: 'the network lost it' });
    ((id & 1) === this.#parity ? this.back : this).#control(answer);
  }

  /** Gives the credit that a lost frame had spent back to the writer, as the reader would have. */
  #repay(letter: Letter): void {
    const { frame, role, cost, wholeCost, whole } = letter;
    const { back } = this;
    if (role === 'oneway') back.#credit(whole ? Account.SHORT : Account.LONG, wholeCost, frame.channel);
    else if (role === 'request' && !whole) back.#credit(Account.LONG, wholeCost, frame.channel);
    else if (frame.kind === Kind.RESPONSE && !whole) back.#credit(Account.REPLY, wholeCost, 0);
    if (!whole || frame.kind === Kind.ITEM || frame.kind === Kind.PART) back.#credit(Account.PIPE, cost, 0);
  }

  /** Sends a frame of the network itself, which is never lost. */
  #control(frame: Frame): void {
    this.cross([new Letter(frame, 'control', undefined, this.#words(undefined)[frame.kind]!)], this.latency());
  }

  #credit(account: number, credit: number, channel: number): void {
    this.#control(Object.assign(Frame.empty(), { kind: Kind.CREDIT, account, credit, channel }));
  }

  // Interceptors.

  #judged(letter: Letter): boolean {
    const { frame, role, call } = letter;
    const kind = KINDS.get(frame.kind);
    if (kind === undefined) return true;
    const method = call?.method ?? (role === 'oneway' ? this.#method(frame) : undefined);
    const codec = codecOf(kind, method, (frame.id & 1) === this.#parity);
    const { world, from, to } = this;
    const [protocol, name] = method === undefined ? ['', ''] : [method.full.slice(0, -method.name.length - 1), method.name];
    const view = new MessageView({ from: from.name, to: to.name, kind, protocol, method: name, at: world.now, payload: frame.payload }, codec);
    const verdict = this.#interceptors.judge(view);
    letter.judged = true;
    if (verdict === undefined) return true;
    if (verdict === 'drop') this.#lose(letter);
    else if ('delay' in verdict) this.#putOff(letter, verdict.delay);
    else {
      if (codec === undefined || !letter.whole)
        throw new TypeError(`intercept: a ${kind} of ${frame.payload.length} bytes can't be mutated: it has no codec, or several packets`);
      this.#mutate(letter, codec.encode(verdict.mutate as never).slice());
      return true;
    }
    return false;
  }

  /**
   * Replaces a payload, and adjusts the credit of both ends, because each counts the bytes that it
   * sees.
   */
  #mutate(letter: Letter, payload: Uint8Array): void {
    const { frame, role } = letter;
    if (payload.length > MOST_MUTATED)
      throw new TypeError(`intercept: a message of ${payload.length} bytes is too long for one packet; it had ${frame.payload.length}`);
    const more = payload.length - frame.payload.length;
    frame.payload = payload;
    letter.check = checksum(payload);
    if (role === 'oneway') {
      if (more < 0) this.back.#credit(Account.SHORT, -more, frame.channel);
      else if (more > 0 && !this.#reserve.take(frame.channel, more)) throw new TypeError(GROWN(`a one-way by ${more}`));
    } else if (frame.kind === Kind.ITEM && more !== 0) {
      if (more > 0) throw new TypeError(GROWN(`an item by ${more}`));
      this.back.#credit(Account.PIPE, -more, 0);
      this.back.#control(Object.assign(Frame.empty(), { kind: Kind.CREDIT, account: Account.STREAM, credit: -more, id: frame.id }));
    }
  }

  /** Delays a letter, and with it the rest of the same message or stream. */
  #putOff(letter: Letter, delay: number): void {
    const { call } = letter;
    const at = this.world.now + delay;
    if (call !== undefined && (!letter.whole || call.streams)) call[this.#side(call)] = at;
    this.#looseUntil = Math.max(this.#looseUntil, at);
    this.crossAt(at, [letter]);
  }

  #isHeldUp(letter: Letter, call: TrackedCall): boolean {
    const until = call[this.#side(call)];
    if (until <= this.world.now) return false;
    this.crossAt(until, [letter]);
    return true;
  }

  /**
   * The hold-up time that applies here, depending on whether the writer is the caller or the
   * callee.
   */
  #side({ id }: TrackedCall): 'outboundAt' | 'inboundAt' {
    return (id & 1) === this.#parity ? 'outboundAt' : 'inboundAt';
  }

  /** Numbers of the trace names of a method's frames, by frame kind. */
  #words(method: Method | undefined): readonly number[] {
    return this.world.trace.numbers(method ?? NO_METHOD, () => NAMES.map((name) => (method === undefined ? name : `${method.full} ${name}`)));
  }
}

function codecOf(kind: InterceptedMessage['kind'], method: Method | undefined, byCaller: boolean): Codec<unknown, never> | undefined {
  if (kind === 'request' || kind === 'oneway') return method?.request;
  if (kind === 'response') return method?.response;
  return kind === 'item' ? (byCaller ? method?.upload : method?.download) : undefined;
}

const KINDS = new Map<number, InterceptedMessage['kind']>([
  [Kind.REQUEST, 'request'],
  [Kind.ONEWAY, 'oneway'],
  [Kind.RESPONSE, 'response'],
  [Kind.ERROR, 'error'],
  [Kind.ITEM, 'item'],
]);
/** Names of the frame kinds, by their numbers. */
const NAMES: readonly string[] = (() => {
  const names: string[] = [];
  for (const [name, kind] of Object.entries(Kind)) names[kind] = name.toLowerCase().replace('_', ' ');
  return Array.from(names, (name) => name ?? '');
})();
const NO_METHOD = {};

/** The first id of copies, far above the ids that a session issues. */
const COPIES = 0xc000_0000;
const MOST_COPIES = 4_096;
/** Bytes that fit the smallest packet size a connection may have. */
const MOST_MUTATED = 64 * 1024;
const GROWN = (what: string) => `intercept: ${what} bytes can't be made longer: its reader has no credit for them; mutate it into what is as long, or shorter`;
