// A model of two sessions that are joined by a simulated wire. A schedule of bytes says what their
// users and the wire do, and in which order. Each call must settle exactly once and never with
// another call's answer, and items must arrive in order. In the end nothing may be held, and both
// ends must agree on all credit.

import { TransportError, withDetails } from '../../errors.ts';
import { bytes } from '../../protocol/bytes.ts';
import { defineProtocol } from '../../protocol/protocol.ts';
import { HANDLER, type InCall } from '../in-call.ts';
import type { SessionLimits } from '../session-context.ts';
import { type End, Pair, SMALL } from './pair.ts';
import { TestCall } from './test-call.ts';

/** The number of bytes in a schedule's head and in each step. */
export const HEAD = 2;
export const STEP = 3;

/** The ways in which a schedule ends, selected by the lowest two bits of its first byte. */
export const ENDINGS = ['in peace', 'one leaves', 'one closes', 'the wire breaks'] as const;

/**
 * Plays a schedule, and throws for the first promise that is broken. The first byte selects the
 * ending, the second the limits of both ends. Each step has three bytes: its kind and two
 * parameters.
 */
export async function playSchedule(schedule: Uint8Array): Promise<void> {
  const world = new World(schedule[0] ?? 0, schedule[1] ?? 0);
  for (let at = HEAD; at < schedule.length; at += STEP) {
    const written = world.step(schedule[at]!, schedule[at + 1] ?? 0, schedule[at + 2] ?? 0);
    // A write that is refused rejects within a few microtasks.
    if (written !== undefined) await Promise.race([written, settled()]);
  }
  await settled();
  world.end();
}

/** Describes a schedule in words, with one step on each line. */
export function describeSchedule(schedule: Uint8Array): string {
  const lines = [
    `ends ${ENDINGS[(schedule[0] ?? 0) & 3]}, limits ${(schedule[1] ?? 0) % LIMITS.length}`,
  ];
  for (let at = HEAD; at < schedule.length; at += STEP) {
    lines.push(
      `${STEPS[schedule[at]! % STEPS.length]} ${schedule[at + 1] ?? 0} ${schedule[at + 2] ?? 0}`,
    );
  }
  return lines.join('\n');
}

const methods = {
  ask: { id: 1, request: bytes, response: bytes },
  tell: { id: 2, request: bytes },
  give: { id: 3, request: bytes, upload: bytes, response: bytes },
  get: { id: 4, request: bytes, download: bytes },
  both: { id: 5, request: bytes, upload: bytes, download: bytes },
};
const NAMES = ['ask', 'ask', 'ask', 'tell', 'tell', 'give', 'get', 'both'] as const;
const protocols = [
  defineProtocol({ name: 'first', version: 1, channel: 0x20, methods }),
  defineProtocol({
    name: 'second',
    version: 1,
    channel: 0x21,
    priority: 3,
    ordered: true,
    methods,
  }),
];
/**
 * The kinds of steps. The ones that make progress are listed several times, so they are chosen more
 * often.
 */
const STEPS = [
  'call',
  'call',
  'call',
  'take',
  'take',
  'answer',
  'answer',
  'write',
  'read',
  'use',
  'use',
  'cancel',
  'discard',
  'stick',
  'drain',
  'tick',
  'tick',
  'move',
  'move',
  'move',
  'pass',
  'quiet',
  'tell',
] as const;
const LIMITS: readonly SessionLimits[] = [
  SMALL,
  SMALL,
  { ...SMALL, calls: 3, streams: 2 },
  { ...SMALL, outbound: { messages: 3, bytes: 4_096 } },
  { ...SMALL, inbound: { calls: 2, bytes: 1_024 } },
  SMALL,
];
/**
 * The memory limit, in bytes, for the last entry of LIMITS: so little that long messages are
 * refused.
 */
const SCARCE = 48 * 1024;
/** The time in milliseconds after which the clock stops. The clock starts at 1,000. */
const LATEST = 5_000;

interface Made {
  readonly number: number;
  readonly call: TestCall;
  uploadClosed: boolean;
  written: number;
  read: number;
}

interface Served {
  readonly call: InCall;
  readonly number: number;
  answered: boolean;
  written: number;
  read: number;
}

class World {
  readonly #ending: number;
  readonly #limits: SessionLimits;
  readonly #pair: Pair;
  readonly #made: Made[] = [];
  readonly #served: Served[] = [];
  /** The number of times that each one-way arrived. */
  readonly #told = new Map<number, number>();

  constructor(ending: number, limits: number) {
    this.#ending = ending;
    this.#limits = LIMITS[limits % LIMITS.length]!;
    this.#pair = new Pair(protocols, { limits: this.#limits }).open();
    if (limits % LIMITS.length === LIMITS.length - 1) {
      for (const end of this.#ends) Object.assign(end.memory, { limit: SCARCE });
    }
  }

  get #ends(): readonly [End, End] {
    return [this.#pair.dialer, this.#pair.acceptor];
  }

  /** Performs a step. Returns a promise if an item was written. */
  step(what: number, how: number, more: number): Promise<void> | undefined {
    const pair = this.#pair;
    const end = this.#ends[how & 1]!;
    switch (STEPS[what % STEPS.length]!) {
      case 'call':
        this.#make(
          end,
          NAMES[(how >> 2) & 7]!,
          protocols[(how >> 1) & 1]!,
          more,
          (how & 0xe0) === 0xe0,
        );
        return undefined;
      case 'tell':
        for (let i = more & 15; i >= 0; i--)
          this.#make(end, 'tell', protocols[(how >> 1) & 1]!, more >> 4, false);
        return undefined;
      case 'take':
        this.#take(end);
        return undefined;
      case 'answer':
        this.#answer(recent(this.#served, how), more);
        return undefined;
      case 'write':
        return this.#write(recent(this.#served, how), more);
      case 'read':
        this.#readUpload(recent(this.#served, how));
        return undefined;
      case 'use':
        return this.#use(recent(this.#made, how), more);
      case 'cancel':
        recent(this.#made, how)?.call.giveUp('cancelled');
        return undefined;
      case 'discard':
        if (how < 128) recent(this.#made, how)?.call.download?.discard();
        else recent(this.#served, how)?.call.upload?.discard();
        return undefined;
      case 'stick':
        end.stuck = true;
        return undefined;
      case 'drain':
        end.drain(pair.now);
        return undefined;
      case 'tick':
        pair.tick(end);
        return undefined;
      case 'move':
        pair.move(end, 1 + (more < 128 ? more : (more - 127) ** 2));
        return undefined;
      case 'pass':
        // The clock stops before a silence could end the session.
        if (pair.now < LATEST) pair.pass(more);
        return undefined;
      case 'quiet':
        pair.quiet();
        return undefined;
    }
  }

  end(): void {
    const pair = this.#pair;
    const by = this.#ends[(this.#ending >> 2) & 1]!;
    switch (this.#ending & 3) {
      case 0:
        for (const { ending } of this.#ends)
          check(ending === undefined, `the session ended: ${ending?.error.message}`);
        this.#finish();
        this.#checkAccounts();
        break;
      case 1:
        by.session.leave('disconnected', 'enough');
        this.#finish();
        pair.quiet();
        break;
      case 2:
        this.#shut(by, (this.#ending & 8) === 0 ? 0 : 500);
        break;
      default:
        pair.cut();
        this.#returnUnsent();
        for (const end of this.#ends) for (const call of end.take()) call.carrier.finished(call);
    }
    if ((this.#ending & 3) !== 0) {
      for (const { endings } of this.#ends)
        check(endings === 1, `a session ended ${endings} times`);
      for (const { call } of this.#made) call.download?.discard();
      for (const { call } of this.#served) {
        call.upload?.discard();
        call.carrier.finished(call);
      }
    }
    this.#checkCalls();
    for (const end of this.#ends) {
      check(
        end.memory.used === 0 && end.session.parts.context.usage.held === 0,
        `${end.memory.used} bytes are held, of them ${end.session.parts.context.usage.held} by the connection`,
      );
    }
  }

  #make(
    end: End,
    name: keyof typeof methods,
    protocol: (typeof protocols)[number],
    more: number,
    isShort: boolean,
  ): void {
    if (end.session.state !== 'up') return;
    const number = this.#made.length + 1;
    const call = new TestCall(protocol, name, stamp(number, sizeOf(more)));
    if (isShort) call.due = this.#pair.now + more;
    this.#made.push({ number, call, uploadClosed: false, written: 0, read: 0 });
    this.#pair.start(end, call);
  }

  #take(end: End): void {
    for (const call of end.take()) {
      // An inbox would have been told that its caller is gone.
      if (call.gone !== undefined) continue;
      const number = readStamp(call.payload);
      if (call.method.kind === 'oneway') this.#told.set(number, (this.#told.get(number) ?? 0) + 1);
      else {
        call.carrier.started(call, HANDLER);
        this.#served.push({ call, number, answered: false, written: 0, read: 0 });
      }
    }
  }

  #answer(served: Served | undefined, more: number): void {
    if (served === undefined || served.answered) return;
    const { call, number } = served;
    served.answered = true;
    if (more > 240) call.carrier.fail(call, new TransportError('aborted', String(number)), false);
    else if (call.download !== undefined) call.carrier.finish(call);
    else call.carrier.respond(call, stamp(number, sizeOf(more)));
    call.carrier.finished(call);
  }

  #write(served: Served | undefined, more: number): Promise<void> | undefined {
    if (served === undefined || served.answered || !served.call.open) return undefined;
    const item = stamp(served.number + served.written++, more * 60);
    return served.call.download?.write(item).catch(() => void served.written--);
  }

  #readUpload(served: Served | undefined): boolean {
    const item = served?.call.upload?.take();
    if (item === undefined) return false;
    check(
      readStamp(item) === served!.number + served!.read++,
      `the upload of call ${served!.number} is out of order`,
    );
    return true;
  }

  #use(made: Made | undefined, more: number): Promise<void> | undefined {
    if (made === undefined) return undefined;
    const { upload } = made.call;
    let written: Promise<void> | undefined;
    if (upload !== undefined && made.call.opened && !made.uploadClosed && !made.call.done) {
      made.uploadClosed = more < 50;
      if (made.uploadClosed) upload.close(undefined);
      else
        written = upload
          .write(stamp(made.number + made.written++, more * 60))
          .catch(() => void made.written--);
    }
    this.#readDownload(made);
    return written;
  }

  #readDownload(made: Made): boolean {
    const { download } = made.call;
    const item = download?.take();
    if (item === undefined) {
      download?.wait(() => {});
      return false;
    }
    check(
      readStamp(item) === made.number + made.read++,
      `the download of call ${made.number} is out of order`,
    );
    return true;
  }

  /** Fails the calls that came back unsent, since there is no other connection for them. */
  #returnUnsent(): void {
    for (const end of this.#ends) {
      const returned = end.left.splice(0);
      if (end.ending !== undefined) returned.push(...end.ending.unsent.splice(0));
      for (const call of returned) {
        check(!call.done, 'a call that is done came back unsent');
        call.failed(
          withDetails(new TransportError('unavailable', 'it came back'), {
            reason: 'disconnected',
            sent: false,
          }),
        );
      }
    }
  }

  /** Lets both users finish everything that was begun. */
  #finish(): void {
    const pair = this.#pair;
    for (let round = 0; round < 2_000; round++) {
      for (const end of this.#ends) end.drain(pair.now);
      pair.quiet();
      this.#returnUnsent();
      for (const end of this.#ends) this.#take(end);
      for (const served of this.#served) {
        while (this.#readUpload(served));
        if (served.call.upload === undefined || served.call.upload.ended) this.#answer(served, 0);
      }
      for (const made of this.#made) {
        const { call } = made;
        if (call.upload !== undefined && call.opened && !made.uploadClosed && !call.done) {
          made.uploadClosed = true;
          call.upload.close(undefined);
        }
        while (this.#readDownload(made));
      }
      const isQuiet = this.#ends.every(
        (end) => !end.isDirty && end.sent.length === 0 && end.calls.length === 0,
      );
      if (isQuiet && this.#made.every(({ call }) => call.done)) return;
      pair.pass(1);
    }
    const open = this.#made.filter(({ call }) => !call.done);
    throw new Error(
      `calls never settled: ${open.map(({ number, call }) => `${number} ${call.method.name}`).join(', ')}`,
    );
  }

  /**
   * Closes one transport, and lets the time of its grace period and one more second pass, in which
   * everything must settle.
   */
  #shut(by: End, grace: number): void {
    const pair = this.#pair;
    by.session.parts.context.now = pair.now;
    by.session.shut(grace);
    for (const end of this.#ends) end.drain(pair.now);
    for (let passed = 0; passed <= grace + 1_000; passed += 50) {
      pair.quiet();
      this.#returnUnsent();
      for (const end of this.#ends) this.#take(end);
      pair.pass(50);
    }
    pair.quiet();
    for (const end of this.#ends) this.#take(end);
    this.#returnUnsent();
  }

  #checkCalls(): void {
    const inPeace = (this.#ending & 3) === 0;
    const lost: string[] = [];
    for (const { number, call } of this.#made) {
      const name = `call ${number} (${call.method.name})`;
      check(call.settlements === 1, `${name} settled ${call.settlements} times`);
      if (call.answer !== undefined)
        check(
          readStamp(call.answer) === number,
          `${name} got the answer of call ${readStamp(call.answer)}`,
        );
      if (call.error?.code === 'aborted')
        check(
          call.error.message === String(number),
          `${name} failed as call ${call.error.message}`,
        );
      const told = this.#told.get(number) ?? 0;
      check(told <= 1, `${name} came ${told} times`);
      if (inPeace && call.method.kind === 'oneway' && call.error === undefined && told === 0)
        lost.push(name);
    }
    // A one-way may be missing if there was no memory for it, and then it is counted.
    const dropped = this.#ends.reduce((sum, end) => sum + end.count('onewayDropped'), 0);
    check(
      lost.length <= dropped,
      `${lost.join(', ')} never came, and ${dropped} one-ways were counted`,
    );
  }

  /** Pays all credit that receivers owe, and checks that the senders have what they began with. */
  #checkAccounts(): void {
    const pair = this.#pair;
    for (const end of this.#ends) {
      const { pipe, reply } = end.session.parts.packets;
      for (const receiving of [pipe, reply]) receiving.pay();
      for (const channel of end.session.parts.channels.all())
        for (const receiving of [channel.short, channel.long]) receiving.pay();
    }
    pair.quiet();
    const { credit } = this.#limits;
    for (const end of this.#ends) {
      const { caller, callee, outbox } = end.session.parts;
      const { served } = callee;
      const { window } = pair.other(end).session.parts.packets;
      check(
        outbox.pipe === window.granted,
        `the pipe has ${outbox.pipe}, and its receiver granted ${window.granted}`,
      );
      check(
        outbox.reply === credit.reply,
        `the reply account has ${outbox.reply}, not ${credit.reply}`,
      );
      for (const { lanes, ...channel } of end.session.parts.channels.all()) {
        check(
          lanes.shortCredit === credit.short,
          `the short account has ${lanes.shortCredit}, not ${credit.short}`,
        );
        check(
          lanes.longCredit === credit.long,
          `the long account has ${lanes.longCredit}, not ${credit.long}`,
        );
        check(
          channel.short.left === credit.short && channel.long.left === credit.long,
          'a receiver counts otherwise',
        );
        const counts = [
          channel.open,
          channel.openIn,
          channel.running,
          channel.queued,
          channel.queuedBytes,
        ];
        check(
          counts.every((count) => count === 0) && lanes.empty,
          `a channel still counts ${counts.join(', ')}`,
        );
      }
      const open = [caller.slots.size, caller.streams, served.ids.size, served.streams];
      check(
        open.every((count) => count === 0) && outbox.idle,
        `calls are still known: ${open.join(', ')}`,
      );
    }
  }
}

/** Picks one of the last few items. */
function recent<T>(items: readonly T[], how: number): T | undefined {
  const among = Math.min(items.length, RECENT);
  return among === 0 ? undefined : items[items.length - 1 - ((how >> 1) % among)];
}
const RECENT = 8;

/** Returns the size of a short message, or of a long one of several packets. */
function sizeOf(more: number): number {
  return more < 200 ? more : (more - 199) * 800;
}

/** Makes a message that carries its number at the beginning and at the end. */
function stamp(number: number, size: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(Math.max(size, 8));
  const view = new DataView(message.buffer);
  view.setUint32(0, number);
  view.setUint32(message.length - 4, number);
  return message;
}

function readStamp(message: Uint8Array): number {
  check(message.length >= 8, `a message has ${message.length} bytes`);
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const number = view.getUint32(0);
  check(view.getUint32(message.length - 4) === number, 'a message is torn');
  return number;
}

/** Waits a few microtasks, so that the handlers of settled promises have run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await null;
}

function check(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}
