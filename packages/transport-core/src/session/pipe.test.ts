// Tests the growth of the pipe between two sessions: packets, PINGs and credit, on manual time.

import test from 'ava';
import { bytes } from '../protocol/bytes.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { Account } from '../wire/frame.ts';
import { type End, Pair, SMALL } from './testing/pair.ts';
import { TestCall } from './testing/test-call.ts';

const KIB = 1024;
const protocol = defineProtocol({
  name: 'scene',
  version: 1,
  channel: 0x20,
  methods: { put: { id: 1, request: bytes, response: bytes } },
});
/** The milliseconds from one end to the other. */
const WAY = 20;

const limits = (pipe: number, pipeMax: number) => ({
  ...SMALL,
  credit: { ...SMALL.credit, pipe, pipeMax, long: 8 * 1024 * KIB },
});
const windowOf = (end: End) => end.session.parts.packets.window;

/** Two ends whose bytes take WAY milliseconds in each direction. */
class LongLine {
  readonly pair: Pair;
  /** Maximum credit of the pipe that the dialer has had. */
  most = 0;

  constructor(pipe: number, pipeMax: number) {
    this.pair = new Pair([protocol], {
      limits: limits(pipe, pipeMax),
      keepAlive: { interval: 1e9, timeout: 1e9 },
    });
    this.pair.dialer.session.open({});
    this.pass(10);
  }

  put(size: number): TestCall {
    const call = new TestCall(protocol, 'put', new Uint8Array(size));
    this.pair.start(this.pair.dialer, call);
    return call;
  }

  /** Lets the time of `ways` one-way trips pass; answers the calls that arrive. */
  pass(ways: number): this {
    const { pair } = this;
    const { dialer, acceptor } = pair;
    for (let way = 0; way < ways; way++) {
      for (const end of [dialer, acceptor]) if (end.isDirty) pair.tick(end);
      const crossing = [dialer, acceptor].map((end) => [end, end.sent.length] as const);
      pair.pass(WAY);
      for (const [end, count] of crossing) for (let i = 0; i < count; i++) pair.move(end);
      this.most = Math.max(this.most, dialer.session.parts.outbox.pipe);
      for (const call of acceptor.take())
        acceptor.session.parts.callee.served.respond(call, new Uint8Array(0));
    }
    return this;
  }
}

test('a sender that spends more than the grown pipe violates the protocol', (t) => {
  const line = new LongLine(16 * KIB, 64 * KIB);
  for (let i = 0; i < 20; i++) line.put(200 * KIB);
  line.pass(60);
  const { dialer, acceptor } = line.pair;
  t.true(windowOf(acceptor).granted > 32 * KIB);
  t.is(acceptor.ending, undefined);
  // Exceeds the single packet by which the account may be overdrawn.
  dialer.session.parts.outbox.grant(Account.PIPE, 8 * KIB);
  line.pass(4);
  t.is(acceptor.ending!.error.reason, 'malformed');
  t.regex(acceptor.ending!.error.message, /without pipe credit/);
});
