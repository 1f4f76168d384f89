// Tests long messages above the limit of their method's codec: they are refused with their first
// packet, before memory is allocated, and the connection stays open.

import test from 'ava';
import { bytes } from '../protocol/codec.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { Pair } from './testing/pair.ts';
import { TestCall } from './testing/test-call.ts';

const LIMIT = 10_000;
const limited = { ...bytes, limit: LIMIT };
const protocol = defineProtocol({
  name: 'limited',
  version: 1,
  channel: 0x20,
  methods: {
    ask: { id: 1, request: limited, response: limited },
    tell: { id: 2, request: limited },
    give: { id: 3, request: limited, upload: bytes, response: limited },
  },
});

function open() {
  const allocated = { dialer: [] as number[], acceptor: [] as number[] };
  const counting = (sizes: number[]) => ({
    allocate(size: number) {
      sizes.push(size);
      return new Uint8Array(size);
    },
  });
  const pair = new Pair(
    [protocol],
    counting(allocated.dialer),
    counting(allocated.acceptor),
  ).open();
  const call = (method: string, length: number) => {
    const made = new TestCall(protocol, method, new Uint8Array(length));
    pair.start(pair.dialer, made);
    pair.quiet();
    return made;
  };
  return { pair, allocated, call };
}

const seen = ({ error }: TestCall) => [error?.code, error?.reason, error?.sent, error?.origin];

for (const method of ['ask', 'give']) {
  test(`a request that is announced as longer than its codec accepts is refused unprocessed at its first packet: ${method}`, (t) => {
    const { pair, allocated, call } = open();
    const long = call(method, LIMIT + 1);
    t.deepEqual(seen(long), ['resource_exhausted', 'too_large', false, 'remote']);
    t.is(
      long.error?.message,
      `limited/${method}: a request of 10001 bytes is above 10000, the limit of its codec here (bytes)`,
    );
    t.deepEqual(allocated.acceptor, []);
    t.is(pair.acceptor.memory.used, 0);
    t.deepEqual(pair.acceptor.calls, []);

    const fit = call(method, LIMIT);
    t.is(fit.error, undefined);
    t.deepEqual(allocated.acceptor, [LIMIT]);
    t.is(pair.acceptor.calls.length, 1);
    for (let i = 0; i < 20; i++)
      t.is(call(method, 5 * LIMIT).error?.reason, 'too_large', 'its credit is returned');
  });
}

test('a long one-way above the limit of its codec is dropped and counted', (t) => {
  const { pair, allocated, call } = open();
  for (let i = 1; i <= 20; i++) {
    call('tell', 2 * LIMIT);
    t.is(pair.acceptor.count('onewayDropped'), i);
  }
  t.deepEqual(allocated.acceptor, []);
  call('tell', LIMIT);
  t.is(pair.acceptor.calls.length, 1);
});

test('a long response above the limit of its codec fails its call, and no memory is taken for it', (t) => {
  const { pair, allocated, call } = open();
  for (let i = 0; i < 20; i++) {
    const made = call('ask', 1);
    const [served] = pair.acceptor.take();
    served!.carrier.respond(served!, new Uint8Array(2 * LIMIT));
    pair.quiet();
    t.deepEqual(seen(made), ['resource_exhausted', 'too_large', true, 'local']);
    t.is(
      made.error?.message,
      'limited/ask: a response of 20000 bytes is above 10000, the limit of its codec here (bytes)',
    );
    t.is(made.settlements, 1);
  }
  t.deepEqual(allocated.dialer, []);
  t.is(pair.dialer.memory.used, 0);
  const fit = call('ask', 1);
  const [served] = pair.acceptor.take();
  served!.carrier.respond(served!, new Uint8Array(LIMIT));
  pair.quiet();
  t.is(fit.answer?.length, LIMIT);
});
