// A model of two sessions that are joined by a simulated wire. A schedule of bytes determines what
// their users and the wire do, and in which order. Each call must settle exactly once and never
// with another call's answer, and items must arrive in order. At the end, nothing may be held, and
// both ends must agree on all credit.

import type { SessionLimits } from '../session-context.ts';
import { type End, Pair, SMALL } from './pair.ts';
import { check, ScheduledUsers } from './scheduled-users.ts';
import { protocols, readStamp } from './stamped-calls.ts';

/** The number of bytes in a schedule's header and in each step. */
export const HEAD = 2;
export const STEP = 3;

/** The ways in which a schedule ends, selected by the lowest two bits of its first byte. */
export const ENDINGS = ['in peace', 'one leaves', 'one closes', 'the wire breaks'] as const;

/**
 * Plays a schedule, and throws when the session breaks one of its promises. The first byte selects
 * the ending, the second the limits of both ends. Each step has three bytes: its kind and two
 * parameters.
 */
export async function playSchedule(schedule: Uint8Array): Promise<void> {
  const run = new ScheduleRun(schedule[0] ?? 0, schedule[1] ?? 0);
  for (let at = HEAD; at < schedule.length; at += STEP) {
    const written = run.step(schedule[at]!, schedule[at + 1] ?? 0, schedule[at + 2] ?? 0);
    // A write that is refused rejects within a few microtasks.
    if (written !== undefined) await Promise.race([written, settled()]);
  }
  await settled();
  run.end();
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

/**
 * The kinds of steps. The ones that make progress are listed several times, so they are chosen more
 * often.
 */
const STEPS =
  'call call call take take answer answer write read use use cancel discard stick drain tick tick move move move pass quiet tell'.split(
    ' ',
  );
/** The methods of a call, selected by three bits; the frequent ones are listed several times. */
const NAMES = ['ask', 'ask', 'ask', 'tell', 'tell', 'give', 'get', 'both'] as const;
/** The limits of both ends, selected by the second byte. */
const LIMITS: readonly SessionLimits[] = [
  SMALL,
  SMALL,
  { ...SMALL, calls: 3, streams: 2 },
  { ...SMALL, outbound: { messages: 3, bytes: 4_096 } },
  { ...SMALL, inbound: { calls: 2, bytes: 1_024 } },
  SMALL,
];
/**
 * The memory limit, in bytes, for the last entry of LIMITS: so small that long messages are
 * refused.
 */
const SCARCE = 48 * 1024;
/** The time in milliseconds after which the clock stops. The clock starts at 1,000. */
const LATEST = 5_000;

/** Two sessions, their users and the wire between them, which act step by step. */
class ScheduleRun {
  readonly #ending: number;
  readonly #limits: SessionLimits;
  readonly #pair: Pair;
  readonly #users: ScheduledUsers;

  constructor(ending: number, limits: number) {
    this.#ending = ending;
    this.#limits = LIMITS[limits % LIMITS.length]!;
    this.#pair = new Pair(protocols, { limits: this.#limits }).open();
    this.#users = new ScheduledUsers(this.#pair);
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
    const users = this.#users;
    const end = this.#ends[how & 1]!;
    const protocol = protocols[(how >> 1) & 1]!;
    const made = recent(users.made, how);
    const served = recent(users.served, how);
    const steps: Record<string, () => Promise<void> | boolean | undefined | void> = {
      call: () => users.make(end, NAMES[(how >> 2) & 7]!, protocol, more, (how & 0xe0) === 0xe0),
      tell: () => {
        for (let i = more & 15; i >= 0; i--) users.make(end, 'tell', protocol, more >> 4, false);
      },
      take: () => users.take(end),
      answer: () => users.answer(served, more),
      write: () => users.write(served, more),
      read: () => users.readUpload(served),
      use: () => users.use(made, more),
      cancel: () => made?.call.giveUp('cancelled'),
      discard: () => (how < 128 ? made?.call.download?.discard() : served?.call.upload?.discard()),
      stick: () => void (end.stuck = true),
      drain: () => end.drain(),
      tick: () => pair.tick(end),
      move: () => pair.move(end, 1 + (more < 128 ? more : (more - 127) ** 2)),
      // The clock stops before a silence could end the session.
      pass: () => (pair.now < LATEST ? pair.pass(more) : undefined),
      quiet: () => pair.quiet(),
    };
    const result = steps[STEPS[what % STEPS.length]!]!();
    return result instanceof Promise ? result : undefined;
  }

  end(): void {
    const pair = this.#pair;
    const by = this.#ends[(this.#ending >> 2) & 1]!;
    switch (this.#ending & 3) {
      case 0:
        for (const { ending } of this.#ends)
          check(ending === undefined, `the session ended: ${ending?.error.message}`);
        this.#users.finish();
        this.#checkAccounts();
        break;
      case 1:
        by.session.leave('disconnected', 'enough');
        this.#users.finish();
        pair.quiet();
        for (const { ending } of this.#ends) {
          const { code, reason, message } = ending!.error;
          const why = `${code} ${reason} ${message}`;
          check(why === 'unavailable disconnected enough', `a session ended with ${why}`);
        }
        break;
      case 2:
        this.#shut(by, (this.#ending & 8) === 0 ? 0 : 500);
        break;
      default:
        pair.cut();
        this.#users.returnUnsent();
        for (const end of this.#ends) for (const call of end.take()) call.handled();
    }
    if ((this.#ending & 3) !== 0) {
      for (const { endings } of this.#ends)
        check(endings === 1, `a session ended ${endings} times`);
      for (const { call } of this.#users.made) call.download?.discard();
      for (const { call } of this.#users.served) {
        call.upload?.discard();
        call.handled();
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

  /**
   * Closes one transport, and lets its grace period and one more second pass, within which
   * everything must settle.
   */
  #shut(by: End, grace: number): void {
    const pair = this.#pair;
    const accepted = this.#users.made.filter(
      ({ end, call }) => end === by && isOneway(call) && call.done && call.error === undefined,
    );
    by.session.shut(grace);
    for (const end of this.#ends) end.drain();
    for (let passed = 0; passed <= grace + 1_000; passed += 50) {
      pair.quiet();
      this.#users.returnUnsent();
      for (const end of this.#ends) this.#users.take(end);
      pair.pass(50);
    }
    pair.quiet();
    for (const end of this.#ends) this.#users.take(end);
    this.#users.returnUnsent();
    const missing = accepted.filter(({ number }) => this.#users.timesTold(number) === 0);
    // A one-way for which there was no memory is counted.
    check(
      missing.length <= this.#ends.reduce((sum, end) => sum + end.count('onewayDropped'), 0),
      `accepted one-way ${missing[0]?.number} never came`,
    );
  }

  #checkCalls(): void {
    /** In peace, or when an end leaves in order, accepted one-ways arrive. */
    const isOrderly = (this.#ending & 3) < 2;
    const lost: string[] = [];
    for (const { number, call } of this.#users.made) {
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
      const told = this.#users.timesTold(number);
      check(told <= 1, `${name} came ${told} times`);
      if (isOrderly && isOneway(call) && call.error === undefined && told === 0) lost.push(name);
      check(call.error?.code !== 'unavailable' || call.error.sent !== undefined, `${name}: sent?`);
    }
    // A one-way may be missing if there was no memory for it; it is counted in that case.
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
      end.session.parts.packets.pipe.pay();
      for (const channel of end.session.parts.channels.all) channel.inbox.pay();
    }
    pair.quiet();
    const { credit } = this.#limits;
    for (const end of this.#ends) {
      const { caller, callee, outbox } = end.session.parts;
      const { window } = pair.other(end).session.parts.packets;
      check(
        outbox.pipe === window.granted,
        `the pipe has ${outbox.pipe}, and its receiver granted ${window.granted}`,
      );
      for (const { lanes, ...channel } of end.session.parts.channels.all) {
        check(
          lanes.credit === credit.inbox && lanes.account === credit.inbox && lanes.undone === 0,
          `the inbox has ${lanes.credit}, not ${credit.inbox}, and ${lanes.undone} one-ways are not done`,
        );
        check(channel.inbox.left === credit.inbox, 'a receiver counts otherwise');
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
      const open = [caller.slots.size, caller.streams, callee.ids.size, callee.streams];
      check(
        open.every((count) => count === 0) && outbox.idle,
        `calls are still known: ${open.join(', ')}`,
      );
    }
  }
}

function isOneway({ method }: { method: { kind: string } }): boolean {
  return method.kind === 'oneway';
}

/** Picks one of the last few items. */
function recent<T>(items: readonly T[], how: number): T | undefined {
  const among = Math.min(items.length, RECENT);
  return among === 0 ? undefined : items[items.length - 1 - ((how >> 1) % among)];
}
const RECENT = 8;

/** Waits a few microtasks, so that the handlers of settled promises have run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await null;
}
