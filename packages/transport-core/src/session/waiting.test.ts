import test from 'ava';
import { bytes } from '../protocol/bytes.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { Pair, SMALL } from './testing/pair.ts';
import { TestCall } from './testing/test-call.ts';

const protocol = defineProtocol({
  name: 'both-ways',
  version: 1,
  channel: 0x20,
  methods: {
    tell: { id: 1, request: bytes },
    get: { id: 2, request: bytes, download: bytes },
  },
});
const long = new Uint8Array(SMALL.packet * 4);

/** The acceptor serves a download whose item waits for the pipe, and a long one-way of its own waits behind that. */
function waitingBehindAnItem() {
  const pair = new Pair([protocol], { limits: { ...SMALL, outbound: { messages: 100, bytes: SMALL.packet } } }).open();
  const { dialler, acceptor } = pair;
  const get = new TestCall(protocol, 'get', new Uint8Array(1));
  pair.start(dialler, get);
  pair.quiet();
  const [served] = acceptor.take();
  served!.carrier.started(served!);
  acceptor.session.link.pipe = 0;
  served!.download!.write(new Uint8Array(100)).catch(() => {});
  const tell = new TestCall(protocol, 'tell', long);
  pair.start(acceptor, tell);
  pair.quiet();
  return { pair, dialler, acceptor, get, served: served!, tell };
}

test('a call that waits for room goes when an item before it has left', (t) => {
  const { pair, dialler, acceptor, tell } = waitingBehindAnItem();
  t.false(tell.done);
  acceptor.session.outbox.grant(1, SMALL.credit.pipe);
  pair.quiet();
  t.true(tell.done);
  t.is(tell.error, undefined);
  t.is(dialler.take().length, 1);
});

test('a call that waits for room goes when an item before it is dropped', (t) => {
  const { pair, acceptor, get, tell } = waitingBehindAnItem();
  t.false(tell.done);
  get.giveUp('cancelled');
  pair.quiet();
  t.true(tell.done, 'its room is there, though the pipe is empty');
  t.is(tell.error, undefined);
  t.is(acceptor.ending, undefined);
});
