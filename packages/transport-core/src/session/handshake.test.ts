// Tests the decisions of the hello: which peers are accepted, which limits apply, and on which
// version of a protocol both ends agree.

import test from 'ava';
import type { TransportError } from '../errors.ts';
import { bytes } from '../protocol/codec.ts';
import { defineProtocol, methodTable, type Protocol } from '../protocol/protocol.ts';
import {
  agree,
  type Hello,
  type HelloProtocol,
  helloProtocol,
  type Introduction,
} from '../wire/hello.ts';
import { judgeHello, makeHello, WIRE_VERSION } from './hello-exchange.ts';
import type { SessionLimits } from './session-context.ts';
import { OutboxFixture } from './testing/outbox-fixture.ts';

const self: Introduction = {
  instance: 'a'.repeat(32),
  network: 'main',
  addr: 'a:1',
  nodeIdFor: () => '',
};
const rest = { observed: '10.0.0.1:5', proven: 'ee' };
const limits: SessionLimits = {
  message: 1_000_000,
  item: 10_000,
  packet: 8_192,
  calls: 10,
  streams: 3,
  inbound: { calls: 4, bytes: 5 },
  total: { calls: 1, bytes: 1 },
  outbound: { messages: 6, bytes: 7 },
  credit: {
    pipe: 1,
    pipeMax: 1,
    inbox: 2,
    stream: 5,
  },
};
const protocol = (version: number, accepts: number[] = [], name = 'raft', channel = 0x20) =>
  defineProtocol({
    name,
    version,
    accepts,
    channel,
    methods: { vote: { id: 1, request: bytes, response: bytes } },
  });
const mounted = (one: Protocol) =>
  new Map([[one.channel, { protocol: one, table: methodTable(one) }]]);
const told = (
  version: number,
  accepts: number[] = [],
  name = 'raft',
  channel = 0x20,
): HelloProtocol => ({ name, version, accepts, channel });
const hello = (changes: Partial<Hello> = {}): Hello => ({
  ...makeHello({ self, limits, mounts: mounted(protocol(1)), ...rest }, {}),
  ...changes,
});

test('the own HELLO contains identity, protocols and limits', (t) => {
  const made = makeHello(
    {
      self: { ...self, nodeIdFor: (proven) => (proven === 'ee' ? 'ff' : '') },
      limits,
      mounts: mounted(protocol(2, [1])),
      ...rest,
    },
    { token: 'x' },
  );
  t.deepEqual(made, {
    wireMin: WIRE_VERSION,
    wireMax: WIRE_VERSION,
    instance: 'a'.repeat(32),
    network: 'main',
    addr: 'a:1',
    agent: made.agent,
    nodeId: 'ff',
    protocols: [told(2, [1])],
    limits: {
      message: 1_000_000,
      item: 10_000,
      packet: 8_192,
      calls: 10,
      streams: 3,
      pipe: 1,
      inbox: 2,
      stream: 5,
    },
    features: [],
    observed: '10.0.0.1:5',
    fields: { token: 'x' },
  });
  t.deepEqual(helloProtocol(protocol(2, [1])), told(2, [1]));
});

test('a peer that claims another id than it proved is refused; one that claims none or proves none is accepted', (t) => {
  t.is(judgeHello(hello({ nodeId: 'aa' }), self, 'bb', 'acceptor')?.reason, 'identity_mismatch');
  t.is(judgeHello(hello({ nodeId: 'aa' }), self, 'aa', 'acceptor'), undefined);
  t.is(judgeHello(hello({ nodeId: '' }), self, 'bb', 'acceptor'), undefined);
  t.is(judgeHello(hello({ nodeId: 'aa' }), self, undefined, 'acceptor'), undefined);
});

test('the limits of the peer apply towards it; for packet, calls and streams the smaller value applies to both ends', (t) => {
  const settled = (packet: number) => {
    const { context } = new OutboxFixture({ ...limits, calls: 20, streams: 2 });
    context.settle({ ...hello().limits, packet });
    return context.terms;
  };
  t.deepEqual(settled(65_536), {
    packet: 8_192,
    message: 1_000_000,
    item: 10_000,
    calls: 10,
    streams: 2,
    inbox: 2,
    stream: 5,
  });
  t.is(settled(4_096).packet, 4_096);
});

test('the version is the highest that both know, and both ends compute the same', (t) => {
  for (const [ours, theirs, expected] of [
    [[1, []], [1, []], 1],
    [[2, [1]], [1, []], 1],
    [[2, [1, 0]], [3, [1, 0]], 1],
    [[3, [1]], [2, [3]], 3],
    [[1, [5]], [5, [1]], 5],
    [[0, []], [4, [0]], 0],
  ] as [[number, number[]], [number, number[]], number][]) {
    t.is(agree(protocol(...ours), [told(...theirs)]), expected);
    t.is(agree(protocol(...theirs), [told(...ours)]), expected);
  }
});

test('the same name on another channel is failed_precondition, and so is another name on the same channel', (t) => {
  const moved = agree(protocol(1), [told(1, [], 'raft', 0x21)]) as TransportError;
  t.deepEqual([moved.code, moved.reason], ['failed_precondition', 'channel_mismatch']);
  t.regex(moved.message, /channel 32 at one end and 33/);
  const squatted = agree(protocol(1), [told(1, [], 'gossip', 0x20)]) as TransportError;
  t.deepEqual([squatted.code, squatted.reason], ['failed_precondition', 'channel_mismatch']);
  t.regex(squatted.message, /'raft'.*'gossip'/);
});

test('a protocol that the peer does not list is requested all the same', (t) => {
  t.is(agree(protocol(4), []), 4);
  t.is(agree(protocol(4), [told(1, [], 'gossip', 0x21)]), 4);
});
