// Messages across a simulated link: each may be lost, come twice, or come behind later ones, and the session on either end never knows.
// A session counts on every frame, so the network answers for what it loses: it gives back the credit that a lost message had spent,
// and answers the cancellation of a call that will never be answered.

import { Account, CODES, type Codec, decodeHello, encodeHello, Frame, Kind, type Method, methodTable } from '@trunkline/transport-core';
import { Happening } from '../world/trace.ts';
import { IdMap } from './id-map.ts';
import { type InterceptedMessage, type Interceptors, MessageView } from './interceptors.ts';
import { Letter, roleOf, type TrackedCall } from './letter.ts';
import { SimLine } from './sim-line.ts';

export class MessageLine extends SimLine<Frame[], Letter[]> {
  declare back: MessageLine;
  readonly #interceptors: Interceptors;
  /** The parity of the ids that the writer opens. */
  readonly #parity: 0 | 1;
  /** The writer's calls by id, as it opened them last; and as the reader knows them, which is later. */
  #opened: IdMap<TrackedCall> | undefined;
  #known: IdMap<TrackedCall> | undefined;
  /** When the last of what may be overtaken arrives. */
  #looseUntil = 0;
  /** The writer's last word has arrived: what comes behind it is lost. */
  #over = false;
  #copies = 0;
  /** One-way credit that the reader granted and the writer does not know of, by channel: copies are paid from it. */
  #reserve: Map<number, number> | undefined;
  #reserveSize = 0;

  constructor(interceptors: Interceptors, parity: 0 | 1, ...rest: ConstructorParameters<typeof SimLine<Frame[], Letter[]>>) {
    super(...rest);
    this.#interceptors = interceptors;
    this.#parity = parity;
  }

  // Out: the writer's frames become letters.

  put(batch: Frame[]): void {
    if (!this.from.alive) return;
    const { path, world } = this;
    const inOrder: Letter[] = [];
    let size = 0;
    let last = false;
    for (const frame of batch) {
      const letter = this.#letter(frame);
      if (letter === undefined) continue;
      if (letter.role !== 'control') this.trace(Happening.sent, letter.word, frame.payload.length, letter.check);
      if (letter.lossy && letter.whole && path.chance(path.settings.reorder)) this.#sendLoose(letter);
      else inOrder.push(letter);
      if (letter.lossy && letter.whole && letter.role !== 'answer' && letter.call?.streams !== true && path.chance(path.settings.duplicate)) this.#copy(letter);
      size += letter.cost;
      last ||= frame.kind === Kind.GO_AWAY;
    }
    if (inOrder.length === 0) return;
    const delay = path.delay(world.now, size, false);
    if (delay !== undefined) return this.cross(inOrder, delay, last ? this.#looseUntil : 0);
    const rest = this.spared(inOrder);
    if (rest !== undefined) this.cross(rest, path.delay(world.now, size, true)!, last ? this.#looseUntil : 0);
  }

  override finish(): void {
    this.lastAt = Math.max(this.lastAt, this.#looseUntil);
    super.finish();
  }

  /** A frame with its call; undefined: it answers a copy, or all of it was swallowed, and it goes nowhere. */
  #letter(frame: Frame): Letter | undefined {
    const { kind, id } = frame;
    if (kind === Kind.HELLO) this.#keepReserve(frame);
    if (kind === Kind.CREDIT && frame.account === Account.SHORT && !this.back.#fillReserve(frame)) return undefined;
    if (id === 0 || kind === Kind.PING || kind === Kind.PONG) {
      const words = kind === Kind.ONEWAY ? this.#words(this.#method(frame)) : this.#words(undefined);
      return new Letter(frame, roleOf(frame, undefined), undefined, words[kind] ?? 0);
    }
    const call = this.#callOf(frame);
    const letter = new Letter(frame, roleOf(frame, call), call, (call?.words ?? this.#words(undefined))[kind] ?? 0);
    if (call?.copy !== true) return letter;
    this.#repay(letter);
    return undefined;
  }

  #callOf(frame: Frame): TrackedCall | undefined {
    const { kind, id } = frame;
    if (kind === Kind.REQUEST || kind === Kind.ONEWAY) {
      const method = this.#method(frame);
      const call = { id, method, words: this.#words(method), streams: frame.flags !== 0, arrived: false, lost: false, cancelled: false, copy: false };
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

  #sendLoose(letter: Letter): void {
    const { path, world } = this;
    const at = world.now + (path.delay(world.now, letter.cost, true) ?? 0) + path.detour();
    this.#looseUntil = Math.max(this.#looseUntil, at);
    this.crossAt(at, [letter]);
  }

  /** Another request with an id of its own, so that its session tells it from the first; or the same one-way again. */
  #copy(letter: Letter): void {
    const { path, world } = this;
    const frame = Object.assign(new Frame(), letter.frame, { payload: letter.frame.payload.slice() });
    let call: TrackedCall | undefined;
    if (letter.call !== undefined) {
      frame.id = COPIES + 2 * (this.#copies++ % MOST_COPIES) + this.#parity;
      call = { ...letter.call, id: frame.id, copy: true };
    }
    const copy = new Letter(frame, letter.role, call, letter.word);
    copy.copy = true;
    this.crossAt(world.now + path.delay(world.now, letter.cost, true)! + path.detour(), [copy]);
  }

  // In: letters arrive.

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

  /** Does it reach the reader? What does not is accounted for here. */
  #passes(letter: Letter): boolean {
    const { role, call, frame } = letter;
    if (role === 'control') {
      this.#over ||= frame.kind === Kind.GO_AWAY;
      return true;
    }
    if (letter.copy) return this.#copyPasses(letter);
    if (role === 'cancel') return this.#cancels(letter);
    if (call?.lost === true) {
      this.#repay(letter);
      return false;
    }
    if (letter.lossy && ((this.#over && role !== 'answer') || this.path.loses())) {
      this.#lose(letter);
      return false;
    }
    if (!this.#interceptors.empty && !letter.judged && !this.#judged(letter)) return false;
    if (role === 'request') this.#arrives(call!);
    return true;
  }

  #arrives(call: TrackedCall): void {
    call.arrived = true;
    this.#known ??= new IdMap();
    if (call.copy) this.#known.setAside(call);
    else this.#known.set(call);
  }

  /** A copy comes only as long as the writer may open calls, and where there is credit for it. */
  #copyPasses({ call, frame, wholeCost }: Letter): boolean {
    if (this.#over || this.path.loses()) return false;
    if (call !== undefined) this.#arrives(call);
    else if (!this.#takeReserve(frame.channel, wholeCost)) return false;
    return true;
  }

  /** A cancellation; of what was lost the network itself says that it is over. */
  #cancels({ call, frame }: Letter): boolean {
    if (call === undefined) return true;
    const { lost, arrived } = call;
    call.cancelled = true;
    if (lost || !arrived) {
      call.lost = true;
      const answer = new Frame();
      Object.assign(answer, { kind: Kind.ERROR, id: frame.id, code: CODES.cancelled, text: 'the network lost it' });
      if (frame.kind === Kind.CANCEL && call.method?.kind !== 'oneway') this.back.#control(answer);
    }
    return arrived;
  }

  #lose(letter: Letter): void {
    const { call } = letter;
    this.trace(Happening.lost, letter.word, letter.frame.payload.length, 0);
    if (letter.copy) return;
    if (call !== undefined) call.lost = true;
    this.#repay(letter);
  }

  /** Gives the writer back what this frame had spent, as the reader would have. */
  #repay(letter: Letter): void {
    const { frame, role, cost, wholeCost, whole } = letter;
    const { back } = this;
    if (role === 'oneway') back.#credit(whole ? Account.SHORT : Account.LONG, wholeCost, frame.channel);
    else if (role === 'request' && !whole) back.#credit(Account.LONG, wholeCost, frame.channel);
    else if (frame.kind === Kind.RESPONSE && !whole) back.#credit(Account.REPLY, wholeCost, 0);
    if (!whole || frame.kind === Kind.ITEM || frame.kind === Kind.PART) back.#credit(Account.PIPE, cost, 0);
  }

  /** A frame of the network's own, that reaches the reader whatever is lost. */
  #control(frame: Frame): void {
    this.cross([new Letter(frame, 'control', undefined, this.#words(undefined)[frame.kind]!)], this.latency());
  }

  #credit(account: number, credit: number, channel: number): void {
    this.#control(Object.assign(new Frame(), { kind: Kind.CREDIT, account, credit, channel }));
  }

  // What an interceptor says.

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
      frame.payload = codec.encode(verdict.mutate as never).slice();
      return true;
    }
    return false;
  }

  #putOff(letter: Letter, delay: number): void {
    if (letter.role === 'body') throw new TypeError("intercept: an item of a stream can't be delayed: those behind it would overtake it");
    this.#looseUntil = Math.max(this.#looseUntil, this.world.now + delay);
    this.crossAt(this.world.now + delay, [letter]);
  }

  // The reserve: the writer learns of a little less one-way credit than it has, so that copies find some.

  #keepReserve(frame: Frame): void {
    const hello = decodeHello(frame.hello);
    if (typeof hello === 'string') return;
    const { short } = hello.limits;
    this.back.#reserveSize = Math.min(RESERVE, Math.floor(short / 4));
    frame.hello = encodeHello({ ...hello, limits: { ...hello.limits, short: short - this.back.#reserveSize } });
  }

  #takeReserve(channel: number, cost: number): boolean {
    const left = (this.#reserve?.get(channel) ?? this.#reserveSize) - cost;
    if (left < 0) return false;
    this.#reserve ??= new Map();
    this.#reserve.set(channel, left);
    return true;
  }

  /** Keeps back what the reserve lacks from what the reader grants; false: nothing is left of it. */
  #fillReserve(frame: Frame): boolean {
    const left = this.#reserve?.get(frame.channel);
    if (left === undefined || left === this.#reserveSize) return true;
    const kept = Math.min(frame.credit, this.#reserveSize - left);
    this.#reserve!.set(frame.channel, left + kept);
    frame.credit -= kept;
    return frame.credit > 0;
  }

  /** What frames of a method are called in the trace, by their kind. */
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
/** The kinds of frames by their numbers. */
const NAMES: readonly string[] = (() => {
  const names: string[] = [];
  for (const [name, kind] of Object.entries(Kind)) names[kind] = name.toLowerCase().replace('_', ' ');
  return Array.from(names, (name) => name ?? '');
})();
const NO_METHOD = {};

/** Ids of copies begin here, far above those that a session gives. */
const COPIES = 0xc000_0000;
const MOST_COPIES = 4_096;
/** Bytes of one-way credit, a connection and channel, that copies may take before the reader has taken what came. */
const RESERVE = 64 * 1024;
