// Tests a session against a peer that sends anything, well-formed and plausible or not. The session
// must never throw, must end once, and must hold nothing afterwards.

import test from 'ava';
import { TransportError, withDetails } from '../errors.ts';
import { bytes } from '../protocol/bytes.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { type Random, seededRandom } from '../random.ts';
import { FrameEncoder } from '../wire/encoder.ts';
import { Kind } from '../wire/frame.ts';
import { writeMessage } from '../wire/testing/frames.ts';
import { HANDLER, type InCall } from './in-call.ts';
import { type End, Pair, pick, SMALL } from './testing/pair.ts';
import { TestCall } from './testing/test-call.ts';

const protocol = defineProtocol({
  name: 'prey',
  version: 1,
  channel: 0x20,
  methods: {
    ask: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
    give: { id: 3, request: bytes, upload: bytes, response: bytes },
    get: { id: 4, request: bytes, download: bytes },
    both: { id: 5, request: bytes, upload: bytes, download: bytes },
  },
});
const names = Object.keys(protocol.methods);
const payload = new Uint8Array(SMALL.packet + 1);

/**
 * Makes one frame that could be part of some conversation, but is unlikely to fit this one.
 * @param rude the probability of a field that breaks the rules.
 */
function plausible(random: Random, rude: number): Uint8Array {
  const encoder = new FrameEncoder((size) => new Uint8Array(size));
  const below = (most: number) => Math.floor(random() * most);
  const id = 1 + below(40);
  const long = random() < 0.3;
  const end = random() < rude ? below(SMALL.packet + 2) : long ? SMALL.packet : below(300);
  const size = long ? end + 1 + below(4) * SMALL.packet : random() < rude ? below(3) : 0;
  const channel = random() < 0.95 ? 0x20 : below(400);
  const method = random() < 0.95 ? 1 + below(5) : below(1_000);
  const flags = random() < rude ? below(5) : ([0, 0, 0, 1, 2, 3][method] ?? 0);
  const mine = random() < 0.9 ? id | 1 : id;
  const yours = random() < 0.9 ? (id & ~1) + 2 : id;
  switch (below(rude > 0 ? 14 : 11)) {
    case 0:
    case 1:
      writeMessage(
        encoder,
        { kind: Kind.REQUEST, id: mine, channel, method, flags, timeout: below(100), size },
        payload,
        0,
        end,
      );
      break;
    case 2:
      writeMessage(
        encoder,
        { kind: Kind.ONEWAY, id: long ? mine : 0, channel, method, size },
        payload,
        0,
        end,
      );
      break;
    case 3:
      writeMessage(encoder, { kind: Kind.RESPONSE, id: yours, size }, payload, 0, end);
      break;
    case 4:
      writeMessage(
        encoder,
        { kind: Kind.ITEM, id: random() < 0.5 ? mine : yours, size },
        payload,
        0,
        end,
      );
      break;
    case 5:
    case 6:
      writeMessage(
        encoder,
        { kind: Kind.PART, id: random() < 0.5 ? mine : yours },
        payload,
        0,
        random() < 0.7 ? SMALL.packet : 1 + below(SMALL.packet),
      );
      break;
    case 7:
      encoder.signal(Kind.END, random() < 0.5 ? mine : yours);
      break;
    case 8:
      encoder.error(yours, below(2), {
        code: below(18),
        reason: below(17),
        text: 'no',
        metadata: undefined,
      });
      break;
    case 9:
      encoder.signal(Kind.CANCEL, mine);
      break;
    case 10: {
      const account = 1 + below(5);
      encoder.credit(
        account,
        1 + below(9_000),
        account === 5 ? id : 0,
        account === 2 || account === 3 ? 0x20 : 0,
      );
      break;
    }
    case 11:
      encoder.credit(below(7), below(3) * 0x7fff_ffff, id, channel);
      break;
    case 12:
      random() < 0.3 ? encoder.goAway(14, 1 + below(16), 'bye') : encoder.signal(Kind.PONG, id);
      break;
    default:
      random() < 0.1
        ? encoder.hello(Kind.PROTOCOLS, new Uint8Array(below(20)))
        : encoder.signal(Kind.PING, id);
  }
  return encoder.take().slice();
}

/** The user of the attacked session, who takes calls, answers, streams, calls and gives up. */
class Prey {
  readonly made: TestCall[] = [];
  readonly served: InCall[] = [];
  readonly end: End;
  readonly pair = new Pair([protocol]).open();
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
    this.end = this.pair.acceptor;
  }

  step(): void {
    const { random, end, pair } = this;
    const draw = random();
    if (draw < 0.15) {
      const call = new TestCall(
        protocol,
        pick(names, random)!,
        new Uint8Array(Math.floor(random() ** 4 * 20_000)),
      );
      if (random() < 0.2) call.due = pair.now + random() * 100;
      this.made.push(call);
      pair.start(end, call);
    } else if (draw < 0.3) {
      for (const call of end.take()) {
        if (call.method.kind === 'oneway') continue;
        call.carrier.started(call, HANDLER);
        this.served.push(call);
      }
    } else if (draw < 0.55) this.serve(pick(this.served, random));
    else if (draw < 0.65) this.use(pick(this.made, random));
    else if (draw < 0.68) pick(this.made, random)?.giveUp('cancelled');
    else if (draw < 0.8) pair.tick(end);
    else if (draw < 0.82) end.stuck = true;
    else if (draw < 0.9) end.drain(pair.now);
    else pair.pass(Math.floor(random() * 20));
    end.sent = [];
  }

  private serve(call: InCall | undefined): void {
    if (call === undefined) return;
    const draw = this.random();
    call.upload?.take();
    if (draw < 0.3 && call.open)
      call.download?.write(new Uint8Array(Math.floor(draw * 30_000))).catch(() => {});
    if (draw < 0.6) return;
    if (draw < 0.7) call.carrier.fail(call, new TransportError('aborted', 'x'), false);
    else if (call.download !== undefined) call.carrier.finish(call);
    else call.carrier.respond(call, new Uint8Array(Math.floor(this.random() * 9_000)));
    call.handled();
  }

  private use(call: TestCall | undefined): void {
    if (call === undefined) return;
    call.download?.take();
    if (call.opened && !call.done)
      call.upload?.write(new Uint8Array(Math.floor(this.random() * 9_000))).catch(() => {});
  }

  /** Ends the connection and everything on it. */
  over(): void {
    const { end, pair } = this;
    end.session.closed(undefined);
    for (const call of end.ending!.unsent)
      call.failed(withDetails(end.ending!.error, { sent: false }));
    for (const call of end.left) call.failed(withDetails(end.ending!.error, { sent: false }));
    for (const call of end.take()) call.handled();
    for (const call of this.served) {
      call.upload?.discard();
      call.handled();
    }
    for (const call of this.made) call.download?.discard();
    pair.tick(end);
  }
}

for (const rude of [0, 0.02, 0.3]) {
  test(`a peer that says what it likes (${rude === 0 ? 'within the forms' : `rude in ${rude * 100} %`}) breaks nothing but its connection`, async (t) => {
    let ended = 0;
    let frames = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = seededRandom(seed);
      const prey = new Prey(random);
      const { end, pair } = prey;
      try {
        for (let step = 0; step < 300 && end.ending === undefined; step++) {
          if (random() < 0.5) prey.step();
          else {
            frames++;
            end.session.receive(pair.now, plausible(random, rude));
          }
          if (end.memory.used < 0 || end.session.parts.context.usage.held < 0)
            throw new Error(`the gauge fell to ${end.memory.used}`);
          if (step % 10 === 0) await null;
        }
        ended += end.endings;
        prey.over();
        t.is(end.endings, 1);
        for (const call of prey.made) t.is(call.settlements, 1, call.method.name);
        t.is(end.memory.used, 0);
        t.is(end.session.parts.context.usage.held, 0);
        t.deepEqual(
          [end.session.parts.caller.slots.size, end.session.parts.callee.served.ids.size],
          [0, 0],
        );
        for (const channel of end.session.parts.channels.all()) t.is(channel.running, 0);
      } catch (error) {
        t.log(`seed ${seed}`);
        throw error;
      }
    }
    t.log(`${frames} frames, ${ended} of 300 connections ended by them`);
  });
}
