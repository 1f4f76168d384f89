// Two sessions joined without a socket or a clock. A test decides when bytes move, in chunks of any
// size, and time is a number.

import type { TransportError } from '../../errors.ts';
import type { TransportCounter } from '../../observer.ts';
import { methodTable, type Protocol } from '../../protocol/protocol.ts';
import { type Random, seededRandom } from '../../random.ts';
import { FrameEncoder } from '../../wire/encoder.ts';
import type { Hello } from '../../wire/hello.ts';
import type { InCall, Mounted } from '../incoming-calls.ts';
import { Memory } from '../memory.ts';
import type { OutCall } from '../outgoing-calls.ts';
import { Session } from '../session.ts';
import type { SessionLimits, SessionPort } from '../session-context.ts';
import type { SessionOptions, SessionVisitor } from '../session-parts.ts';

const KIB = 1024;

/** Limits so small that a short test reaches each of them. */
export const SMALL: SessionLimits = {
  message: 1024 * KIB,
  item: 64 * KIB,
  packet: 4 * KIB,
  calls: 100,
  streams: 20,
  inbound: { calls: 100, bytes: 64 * KIB },
  total: { calls: 100_000, bytes: 100 * 1024 * KIB },
  outbound: { messages: 1_000, bytes: 1024 * KIB },
  credit: {
    pipe: 16 * KIB,
    pipeMax: 64 * KIB,
    inbox: 64 * KIB,
    stream: 8 * KIB,
  },
};

/** One end: the driver of its session, which records the session's events. */
export class End implements SessionPort, SessionVisitor {
  readonly session: Session;
  readonly memory: Memory;
  readonly counters = new Map<TransportCounter, number>();
  /** Calls that have arrived and were not taken. */
  readonly calls: InCall[] = [];
  readonly mounts = new Map<number, Mounted>();
  /** If set, receives the calls, which then do not go into `calls`. */
  inbox:
    | { arrive(call: InCall): void; withdrawn(call: InCall): void; feedAll(): void }
    | undefined = undefined;
  hello: Hello | undefined = undefined;
  isUp = false;
  closing = false;
  /** True once the other end knows that this end has closed. */
  closeTold = false;
  ending: { error: TransportError; unsent: OutCall[] } | undefined = undefined;
  endings = 0;
  left: OutCall[] = [];
  wakeAt = Number.POSITIVE_INFINITY;
  /** Bytes in flight to the other end. */
  sent: Uint8Array[] = [];
  /** True if the connection holds each batch until `drain` is called. */
  stuck = false;
  isDirty = false;
  consents = true;
  #kept: Uint8Array | undefined = undefined;
  readonly #encoder: FrameEncoder;

  constructor(
    side: 'dialer' | 'acceptor',
    protocols: readonly Protocol[],
    options: Partial<SessionOptions> & Pick<SessionOptions, 'ticker'>,
  ) {
    const limits = options.limits ?? SMALL;
    this.memory = options.memory ?? new Memory(512 * KIB * KIB);
    this.#encoder = new FrameEncoder((size) => new Uint8Array(size), limits.packet + 17 * KIB);
    for (const protocol of protocols) this.mount(protocol);
    this.session = new Session({
      side,
      visitor: this,
      port: this,
      writer: this.#encoder,
      limits,
      memory: this.memory,
      allocate: (size) => new Uint8Array(size),
      freeMemory: () => {},
      count: (counter, amount) =>
        void this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount),
      self: {
        instance: (side === 'dialer' ? 'd' : 'a')
          .repeat(32)
          .replaceAll('d', '1')
          .replaceAll('a', '2'),
        network: 'default',
        addr: '',
        nodeIdFor: () => '',
      },
      proven: undefined,
      observed: 'test',
      mounts: this.mounts,
      keepAlive: { interval: 10_000, timeout: 5_000 },
      idleTimeout: Number.POSITIVE_INFINITY,
      handshakeTimeout: 5_000,
      random: seededRandom(side === 'dialer' ? 1 : 2),
      preamble: () => this.#encoder.preamble(),
      refused: undefined,
      ...options,
    });
  }

  /** Mounts a protocol, whose calls go into `calls` or to the inbox. */
  mount(protocol: Protocol): void {
    this.mounts.set(protocol.channel, {
      protocol,
      table: methodTable(protocol),
      incoming: (call) => {
        if (this.inbox === undefined) this.calls.push(call);
        else this.inbox.arrive(call);
      },
      withdrawn: (call) => this.inbox?.withdrawn(call),
      feedAll: () => this.inbox?.feedAll(),
      handlerFailed: () => {},
    });
  }

  /** Takes the calls that have arrived and gives back the credit that they cost. */
  take(): InCall[] {
    const taken = this.calls.splice(0);
    for (const call of taken) {
      call.giveBack();
      call.account = undefined;
    }
    return taken;
  }

  count(counter: TransportCounter): number {
    return this.counters.get(counter) ?? 0;
  }

  /** Lets the connection accept the batch that it holds. */
  drain(): void {
    this.stuck = false;
    if (this.#kept === undefined) return;
    this.sent.push(this.#kept);
    this.#kept = undefined;
    this.session.drained();
  }

  // Implementation of SessionPort.

  flush(): boolean {
    const chunk = this.#encoder.take().slice();
    this.#encoder.clear();
    if (this.#kept !== undefined) throw new Error('flushed while the connection kept a batch');
    if (this.stuck) this.#kept = chunk;
    else this.sent.push(chunk);
    return !this.stuck;
  }

  dirty(): void {
    this.isDirty = true;
  }

  wakeBy(time: number): void {
    this.wakeAt = Math.min(this.wakeAt, time);
  }

  close(): void {
    this.closing = true;
  }

  destroy(_error: TransportError): void {
    this.closing = true;
  }

  // Implementation of SessionVisitor.

  greeted(hello: Hello): void {
    this.hello = hello;
    if (this.consents) this.session.consent({});
  }

  up(): void {
    this.isUp = true;
  }

  leaving(waiting: OutCall[]): void {
    this.left.push(...waiting);
  }

  abandoned(calls: InCall[]): void {
    for (const call of calls) call.tell();
  }

  down(error: TransportError, unsent: OutCall[]): void {
    this.endings++;
    this.ending = { error, unsent };
  }
}

/** A dialer and an acceptor, connected to each other. */
export class Pair {
  readonly dialer: End;
  readonly acceptor: End;
  now = 1_000;
  #seq = 0;

  /** The dialer runs with `copies`, as if all its chunks arrived in the same memory. */
  constructor(
    protocols: readonly Protocol[],
    options: Partial<SessionOptions> = {},
    theirs: Partial<SessionOptions> = options,
  ) {
    const ticker = { now: () => this.now };
    this.dialer = new End('dialer', protocols, { ticker, ...options, copies: true });
    this.acceptor = new End('acceptor', protocols, { ticker, ...theirs });
  }

  other(end: End): End {
    return end === this.dialer ? this.acceptor : this.dialer;
  }

  /** Exchanges the hellos until both ends are up. */
  open(): this {
    this.dialer.session.open({});
    this.quiet();
    if (!this.dialer.isUp || !this.acceptor.isUp) throw new Error('they did not come up');
    return this;
  }

  start(end: End, call: OutCall): void {
    call.seq = this.#seq++;
    end.session.parts.caller.start(call);
  }

  tick(end: End): void {
    end.isDirty = false;
    end.session.tick();
  }

  /** Moves at most `most` bytes from `end` to the other end. */
  move(end: End, most = Number.POSITIVE_INFINITY): boolean {
    const chunk = end.sent.shift();
    if (chunk === undefined) return false;
    if (chunk.length > most) end.sent.unshift(chunk.subarray(most));
    this.hand(end, chunk.slice(0, most));
    return true;
  }

  /**
   * Lets the other end read a chunk, and overwrites the chunk if that end is done with it (always
   * if the reader is the dialer). Returns true if it is done with it.
   */
  hand(end: End, chunk: Uint8Array): boolean {
    const isDone = this.other(end).session.receive(this.now, chunk);
    if (isDone || end === this.acceptor) chunk.fill(0xee);
    return isDone;
  }

  /** Notifies the other end that `end` has closed, once everything that `end` wrote has arrived. */
  #tellClose(end: End): boolean {
    if (!end.closing || end.closeTold || end.sent.length > 0) return false;
    end.closeTold = true;
    this.other(end).session.closed(undefined);
    return true;
  }

  /** Ticks both ends and moves bytes until nothing happens anymore. */
  quiet(): void {
    for (let round = 0; round < 100_000; round++) {
      let moved = false;
      for (const end of [this.dialer, this.acceptor]) {
        if (end.isDirty) {
          this.tick(end);
          moved = true;
        }
        moved = this.move(end) || this.#tellClose(end) || moved;
      }
      if (!moved) return;
    }
    throw new Error('they never come to rest');
  }

  /** Advances the time in one step and does what is due. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const end of [this.dialer, this.acceptor]) {
      if (end.wakeAt > this.now) continue;
      end.wakeAt = Number.POSITIVE_INFINITY;
      end.session.parts.context.wakesAt(Number.POSITIVE_INFINITY);
      end.wakeBy(end.session.wake(this.now));
    }
  }

  /** Breaks the connection. */
  cut(error?: TransportError): void {
    for (const end of [this.dialer, this.acceptor]) {
      end.sent = [];
      end.session.closed(error);
    }
  }
}

export function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
