// Tests the formula in docs/limits.md: no matter what many peers send, the memory that a transport
// counts stays within its limits, and is 0 when all peers are gone.

import test from 'ava';
import { commonOptions } from '../common-options.ts';
import { parseOptions } from '../config.ts';
import { type Random, seededRandom } from '../random.ts';
import { Memory } from '../session/memory.ts';
import { SMALL } from '../session/testing/pair.ts';
import { FrameEncoder } from '../wire/encoder.ts';
import { Kind } from '../wire/frame.ts';
import { writeMessage } from '../wire/testing/frames.ts';
import { type Bytes, CallFixture, protocol, turn } from './testing/call-fixture.ts';

const KIB = 1024;
const { packet } = SMALL;
const CONNECTIONS = 12;
const limits = {
  total: { calls: 200, bytes: 256 * KIB },
  calls: 60,
  outbound: { messages: 60, bytes: 64 * KIB },
  message: 256 * KIB,
  credit: { ...SMALL.credit, pipe: 2 ** 30, pipeMax: 2 ** 30 },
};
const body = new Uint8Array(packet);

/** A peer that sends as many legal messages as it can, and completes few of them. */
class Attacker {
  readonly fixture: CallFixture;
  readonly #random: Random;
  readonly #open: number[] = [];
  #ids = 1;

  constructor(memory: Memory, random: Random, running: (() => void)[]) {
    this.fixture = new CallFixture(limits, memory);
    this.#random = random;
    const never = () =>
      new Promise<Bytes>((resolve) => running.push(() => resolve(new Uint8Array(0))));
    this.fixture.serve(this.fixture.pair.acceptor, { ask: never, tell: never, give: never });
    this.fixture.pair.acceptor.stuck = random() < 0.5;
  }

  get isOver(): boolean {
    return this.fixture.pair.acceptor.ending !== undefined;
  }

  act(): void {
    if (this.isOver) return;
    const { acceptor } = this.fixture.pair;
    const random = this.#random;
    const encoder = new FrameEncoder((size) => new Uint8Array(size), 64 * KIB);
    const id = (this.#ids += 2);
    const size = Math.floor(random() * packet);
    const { left } = acceptor.session.parts.channels.get(protocol.channel).inbox;
    const draw = random();
    if (draw < 0.25)
      writeMessage(encoder, { kind: Kind.REQUEST, id, channel: 0x20, method: 1 }, body, 0, size);
    else if (draw < 0.4)
      writeMessage(encoder, { kind: Kind.REQUEST, id, channel: 0x20, method: 99 }, body, 0, size);
    else if (draw < 0.5) {
      if (left > 0)
        writeMessage(encoder, { kind: Kind.ONEWAY, channel: 0x20, method: 2 }, body, 0, size);
    } else if (draw < 0.6) {
      if (left > 0) this.#begin(encoder, id, random() < 0.5 ? Kind.REQUEST : Kind.ONEWAY);
    } else if (this.#open.length > 0) {
      const which = Math.floor(random() * this.#open.length);
      // The message has 32 packets: each PART is full, and the PARTs of a refused message are
      // dropped.
      writeMessage(encoder, { kind: Kind.PART, id: this.#open[which]! }, body, 0, packet);
      if (random() < 0.005) this.#open.splice(which, 1);
    }
    const bytes = encoder.take().slice();
    if (bytes.length > 0) acceptor.session.receive(this.fixture.pair.now, bytes);
    if (random() < 0.2 && !this.isOver) this.fixture.pair.tick(acceptor);
    acceptor.sent = [];
  }

  #begin(encoder: FrameEncoder, id: number, kind: number): void {
    this.#open.push(id);
    writeMessage(
      encoder,
      { kind, id, channel: 0x20, method: kind === Kind.REQUEST ? 1 : 2, size: 32 * packet },
      body,
      0,
      packet,
    );
  }
}

test('the memory that hostile peers occupy stays within limits.memory and limits.total', async (t) => {
  let most = 0;
  for (let seed = 0; seed < 3; seed++) {
    const random = seededRandom(seed);
    const memory = new Memory(1024 * KIB);
    const running: (() => void)[] = [];
    const attackers = Array.from(
      { length: CONNECTIONS },
      () => new Attacker(memory, random, running),
    );
    for (let step = 0; step < 1_500; step++) {
      for (const attacker of attackers) attacker.act();
      const { used, limit, calls, bytes, ahead } = memory;
      most = Math.max(most, used);
      if (used > limit * 1.25)
        throw new Error(`seed ${seed}: ${used} bytes are held, limits.memory is ${limit}`);
      // The packets that are being read into their places are counted, too.
      if (ahead > limit / 8 + CONNECTIONS * packet)
        throw new Error(`seed ${seed}: ${ahead} bytes were allocated ahead`);
      if (calls > limits.total.calls + CONNECTIONS)
        throw new Error(`seed ${seed}: ${calls} calls are being handled`);
      if (bytes > limits.total.bytes + packet + 64 + 512)
        throw new Error(`seed ${seed}: ${bytes} bytes wait or are being handled`);
      if (step % 50 === 0) await turn();
    }
    t.true(attackers.some(({ isOver }) => !isOver));
    for (const { fixture } of attackers) fixture.pair.cut();
    while (running.length > 0) {
      for (const end of running.splice(0)) end();
      await turn();
    }
    t.deepEqual(
      [memory.used, memory.unfinished, memory.calls, memory.bytes, memory.ahead, memory.lent],
      [0, 0, 0, 0, 0, 0],
    );
  }
  t.true(most > 512 * KIB, 'the attack reached something');
});

test('one-ways that nobody reads wait at their sender, and none is dropped', async (t) => {
  for (const [connections, options] of [
    [1, { total: { bytes: 16 * KIB * KIB } }],
    [10, {}],
  ] as const) {
    const { limits } = parseOptions(commonOptions, { limits: options }, 'createTransport');
    const memory = new Memory(limits.memory);
    const fixtures = Array.from({ length: connections }, () => new CallFixture(limits, memory));
    for (const fixture of fixtures) {
      const { dialer, acceptor } = fixture.pair;
      fixture.inbox(acceptor);
      for (let n = 0; n < 9_000; n++) fixture.call(dialer, 'tell', new Uint8Array(KIB));
    }
    for (const fixture of fixtures) await fixture.rest();
    for (const { pair } of fixtures) {
      t.is(pair.acceptor.count('onewayDropped'), 0);
      t.true(pair.acceptor.session.parts.channels.get(protocol.channel).inbox.left <= 0);
    }
  }
});
