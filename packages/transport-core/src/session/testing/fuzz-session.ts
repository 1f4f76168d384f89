// Fuzzes one session. An input describes a peer that sends arbitrary bytes and frames, mixed with
// actions of this end's user. Nothing may be thrown, the session must end once, each call must
// settle once, and nothing may be held afterwards.

import { TransportError, withDetails } from '../../errors.ts';
import { type Random, randomBytes } from '../../random.ts';
import { FrameEncoder } from '../../wire/encoder.ts';
import { Kind, PREAMBLE } from '../../wire/frame.ts';
import { encodeHello } from '../../wire/hello.ts';
import { makeHello } from '../hello-exchange.ts';
import { HANDLER, type InCall } from '../incoming-calls.ts';
import { End, SMALL } from './pair.ts';
import { encodePeerFrame, payload } from './peer-frame.ts';
import { protocol } from './stamped-calls.ts';
import { TestCall } from './test-call.ts';

/**
 * The fuzz target. The first byte of an input selects the side and the setup of the fuzzed session.
 * Each step begins with one byte that selects its kind: below 16 the peer sends a frame, below 24
 * it sends raw bytes, otherwise the user of this end acts. The bytes after it are the step's
 * parameters.
 */
export const target = {
  run(input: Uint8Array): void {
    const fuzzed = new FuzzedSession(input);
    fuzzed.play();
    fuzzed.over();
  },

  *seeds(): Iterable<Uint8Array> {
    for (let flags = 0; flags < 8; flags++) {
      for (const steps of SEEDS) yield Uint8Array.of(flags, ...steps);
      yield Uint8Array.of(flags | 8, 16, 4, 0x54, 0x52, 0x4b, 0x4c, 16, 3, 2, 8, 2);
    }
  },

  make(random: Random): Uint8Array {
    const parts = [Math.floor(random() * 256)];
    for (let steps = 1 + Math.floor(random() * 40); steps > 0; steps--) {
      const what = Math.floor(random() * 32);
      parts.push(
        what,
        ...randomBytes(random, what >= 16 && what < 24 ? 1 : 6).map((byte) =>
          random() < 0.5 ? byte & 7 : byte,
        ),
      );
    }
    return Uint8Array.from(parts);
  },

  most: 512,
};

const SEEDS = [
  [0, 1, 0, 1, 0, 40, 0, 27, 29, 1, 200, 25, 1, 26, 3, 2, 2, 0, 0, 0, 9, 0],
  [28, 2, 10, 31, 24, 31, 10, 2, 0, 0, 0, 9, 0, 28, 3, 90, 31, 11, 4, 0, 0, 0, 90, 0],
  [0, 3, 0, 3, 5, 60, 1, 4, 3, 0, 0, 0, 255, 0, 5, 3, 0, 0, 0, 0, 0, 27, 29, 2, 9, 25, 0],
];
const names = Object.keys(protocol.methods);

/** The session, its user and its peer, which act as the input prescribes. */
class FuzzedSession {
  readonly #input: Uint8Array;
  readonly #end: End;
  readonly #encoder = new FrameEncoder((size) => new Uint8Array(size), 1_024);
  readonly #made: TestCall[] = [];
  readonly #served: InCall[] = [];
  readonly #isDialer: boolean;
  /** Work units of a turn; 0 means no limit. */
  readonly #units: number;
  #at = 1;
  #now = 1_000;
  #seq = 0;

  constructor(input: Uint8Array) {
    const flags = input[0] ?? 0;
    this.#input = input;
    this.#isDialer = (flags & 1) !== 0;
    this.#units = flags >>> 5;
    const limits =
      (flags & 2) === 0
        ? SMALL
        : {
            ...SMALL,
            calls: 3,
            streams: 2,
            inbound: { calls: 2, bytes: 512 },
            outbound: { messages: 2, bytes: 2_048 },
          };
    this.#end = new End(this.#isDialer ? 'dialer' : 'acceptor', [protocol], {
      limits,
      ticker: { now: () => this.#now },
      copies: (flags & 4) !== 0,
    });
    if ((flags & 16) !== 0) Object.assign(this.#end.memory, { limit: 20_000 });
    if (this.#isDialer) this.#end.session.open({});
    if ((flags & 8) === 0) this.#greet();
  }

  play(): void {
    const { session } = this.#end;
    while (this.#at < this.#input.length && this.#end.ending === undefined) {
      const what = this.#byte() & 31;
      if (what < 16) this.#say(what);
      else if (what < 24) this.#receive(this.#take(this.#byte()));
      else this.#act(what);
      if (this.#end.memory.used < 0 || session.parts.context.usage.held < 0)
        throw new Error(
          `the gauge fell to ${this.#end.memory.used}, of it ${session.parts.context.usage.held}`,
        );
      this.#end.sent.length = 0;
    }
  }

  /** Breaks the connection, ends everything, and checks that nothing is left. */
  over(): void {
    const end = this.#end;
    end.session.closed(undefined);
    if (end.endings !== 1) throw new Error(`the session ended ${end.endings} times`);
    const { error, unsent } = end.ending!;
    if (!(error instanceof TransportError) || error.message === '')
      throw new Error(`it ended with ${String(error)}`);
    for (const call of [...unsent, ...end.left]) call.failed(withDetails(error, { sent: false }));
    for (const call of end.take()) call.handled();
    for (const call of this.#served) {
      call.upload?.discard();
      call.handled();
    }
    for (const call of this.#made) {
      call.download?.discard();
      if (call.settlements !== 1)
        throw new Error(`a call of ${call.method.name} settled ${call.settlements} times`);
    }
    end.session.tick();
    const { context, caller, callee } = end.session.parts;
    if (end.memory.used !== 0 || context.usage.held !== 0)
      throw new Error(
        `${end.memory.used} bytes are still held, of them ${context.usage.held} by the connection`,
      );
    if (caller.slots.size !== 0 || callee.ids.size !== 0) throw new Error('calls are still known');
    for (const channel of end.session.parts.channels.all)
      if (channel.running !== 0) throw new Error(`${channel.running} handlers still run`);
  }

  #byte(): number {
    return this.#input[this.#at++] ?? 0;
  }

  #take(length: number): Uint8Array {
    return this.#input.slice(this.#at, (this.#at += length));
  }

  /** Reads a chunk, either all at once or a few work units at a time. */
  #receive(chunk: Uint8Array): void {
    const { session } = this.#end;
    for (let rest = chunk; rest.length > 0 && this.#end.ending === undefined; ) {
      if (this.#units > 0) session.parts.context.units = this.#units;
      const isDone = session.receive(this.#now, rest);
      const unread = session.unread.slice();
      if (isDone || this.#isDialer) rest.fill(0xee);
      rest = unread;
    }
  }

  /** Sends a correct hello of the peer. */
  #greet(): void {
    const self = {
      instance: '3'.repeat(32),
      network: 'default',
      addr: '',
      nodeIdFor: () => '',
    };
    const own = { self, limits: SMALL, mounts: this.#end.mounts, observed: 'test' };
    this.#encoder.signal(Kind.HELLO, 0, encodeHello(makeHello({ ...own, proven: undefined }, {})));
    if (!this.#isDialer) this.#encoder.signal(Kind.READY, 0);
    const frames = this.#encoder.take().slice();
    this.#encoder.clear();
    this.#receive(Uint8Array.of(...PREAMBLE, ...frames));
    if (!this.#end.isUp) throw new Error('it did not come up');
  }

  /** Sends one frame of the peer. */
  #say(kind: number): void {
    const encoder = this.#encoder;
    const more = encodePeerFrame(encoder, kind, (length) => this.#take(length));
    const frames = encoder.take().slice();
    encoder.clear();
    const cut = more === 0 ? frames.length : more % (frames.length + 1);
    if (cut > 0) this.#receive(frames.slice(0, cut));
    if (cut < frames.length && this.#end.ending === undefined) this.#receive(frames.slice(cut));
  }

  /** Performs an action of this end's user. */
  #act(what: number): void {
    const end = this.#end;
    const { session } = end;
    const how = this.#byte();
    switch (what) {
      case 24:
        return session.tick();
      case 25:
        end.stuck = (how & 1) !== 0;
        if (!end.stuck) end.drain();
        return;
      case 26:
        this.#now += how < 200 ? how : (how - 199) * 1_000;
        if (this.#now < end.wakeAt) return;
        session.parts.context.wakesAt(Number.POSITIVE_INFINITY);
        end.wakeAt = session.wake(this.#now);
        return;
      case 27:
        for (const call of end.take()) {
          if (call.method.kind === 'oneway') continue;
          call.run(HANDLER);
          this.#served.push(call);
        }
        return;
      case 28:
        return this.#call(how);
      case 29:
        return this.#serve(this.#served[how % (this.#served.length || 1)], this.#byte());
      case 30:
        return this.#use(this.#made[how % (this.#made.length || 1)], this.#byte());
      default:
        if (how === 250) session.leave('idle', 'enough');
        else if (how === 251) session.shut(500);
        else if (how === 252) session.endChannel(0x20, new TransportError('shutdown', 'it closed'));
        else if (how === 253) end.mounts.clear();
        else if (how === 254) session.announce();
        else session.parts.channels.get(0x20).stalled = true;
    }
  }

  #call(how: number): void {
    const { session } = this.#end;
    if (session.state !== 'up') return;
    const call = new TestCall(
      protocol,
      names[how % names.length]!,
      payload.subarray(0, (how & 0xf0) << 5),
    );
    if ((how & 8) !== 0) call.due = this.#now + 50;
    call.seq = this.#seq++;
    this.#made.push(call);
    session.parts.caller.start(call);
  }

  #serve(call: InCall | undefined, how: number): void {
    if (call === undefined) return;
    call.upload?.take();
    if (how < 60 && call.open) call.download?.write(payload.subarray(0, how * 100)).catch(() => {});
    if (how < 100) return;
    if (how < 120) call.carrier.fail(call, new TransportError('aborted', 'x'), how < 110);
    else if (call.download !== undefined) call.carrier.finish(call);
    else call.carrier.respond(call, payload.subarray(0, (how - 120) * 90));
    call.handled();
  }

  #use(call: TestCall | undefined, how: number): void {
    if (call === undefined) return;
    if (how < 30) return call.giveUp('cancelled');
    if (how < 60) call.upload?.close(undefined);
    else if (call.opened && !call.done)
      call.upload?.write(payload.subarray(0, how * 40)).catch(() => {});
    if (call.download?.take() === undefined) call.download?.wait(() => {});
  }
}
