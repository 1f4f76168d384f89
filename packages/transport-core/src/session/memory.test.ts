// Tests how much memory incomplete messages may hold: only bytes that have arrived count, and the
// connection that holds the most makes room.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { Kind } from '../wire/frame.ts';
import { encoded, type MessageFields, writeMessage } from '../wire/testing/frames.ts';
import { Memory } from './memory.ts';
import { Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';

const KIB = 1024;
const { packet } = SMALL;
/** Limits with so much credit that it has no effect here. */
const limits = {
  ...SMALL,
  memory: 0,
  item: 1024 * KIB,
  credit: Object.fromEntries(Object.keys(SMALL.credit).map((name) => [name, 2 ** 30])) as never,
};

/** A receiver with `memory` bytes for all its connections. */
class Receiver {
  readonly memory: Memory;
  now = 1_000;
  readonly peers: Peer[] = [];
  /** Bytes that its connections have allocated and freed. */
  allocated = 0;
  freed = 0;

  constructor(memory: number) {
    this.memory = new Memory(memory);
  }

  peer(): Peer {
    const peer = new Peer(this);
    this.peers.push(peer);
    return peer;
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const { pair } of this.peers) {
      pair.now = this.now;
      pair.acceptor.session.wake(this.now);
    }
  }
}

/** A connection whose dialer sends hand-made frames. */
class Peer {
  readonly pair: Pair;
  readonly receiver: Receiver;
  #ids = 1;

  constructor(receiver: Receiver) {
    this.receiver = receiver;
    this.pair = new Pair(
      [protocol],
      { limits, keepAlive: { interval: 1e9, timeout: 1e9 } },
      {
        limits,
        keepAlive: { interval: 1e9, timeout: 1e9 },
        memory: receiver.memory,
        ticker: { now: () => receiver.now },
        allocate(size) {
          receiver.allocated += size;
          return new Uint8Array(size);
        },
        freeMemory({ length }) {
          receiver.freed += length;
        },
      },
    ).open();
    this.pair.now = receiver.now;
  }

  get reason() {
    return this.pair.acceptor.ending?.error;
  }

  /** Returns one text for each chunk sent to the peer that reports a full `limits.memory`. */
  get errors(): string[] {
    const told: string[] = [];
    this.pair.tick(this.pair.acceptor);
    for (const chunk of this.pair.acceptor.sent.splice(0)) {
      const text = Buffer.from(chunk).toString('latin1');
      if (text.includes('limits.memory is reached')) told.push('limits.memory is reached');
    }
    return told;
  }

  /** Sends a frame with a payload of that many bytes, in one chunk, or in two if it is cut. */
  write(fields: MessageFields, bytes: number = packet, cut = 0): void {
    const sent = encoded((encoder) => writeMessage(encoder, fields, new Uint8Array(bytes)));
    for (const chunk of [sent.subarray(0, cut), sent.subarray(cut)])
      if (chunk.length > 0) this.pair.acceptor.session.receive(this.receiver.now, chunk);
  }

  /** Begins a long message of `packets` packets; returns its id. */
  begin(packets: number, kind: number = Kind.REQUEST, method = 1): number {
    this.#ids += 2;
    const id = this.#ids;
    this.write({ kind, id, channel: 0x20, method, size: packets * packet });
    return id;
  }

  /** Sends further packets, each cut after this many bytes. */
  more(id: number, packets: number, cut = 0): void {
    for (let i = 0; i < packets; i++) this.write({ kind: Kind.PART, id }, packet, cut);
  }

  get calls(): number {
    return this.pair.acceptor.calls.length;
  }
}

test('an announced size is not charged: eight peers that announce much and send little cause no refusals', (t) => {
  const receiver = new Receiver(256 * packet);
  const trickling = Array.from({ length: 8 }, () => receiver.peer());
  for (const peer of trickling) peer.begin(256);
  t.is(receiver.memory.used, 8 * packet);
  t.true(receiver.memory.ahead <= 256 * packet);
  const honest = receiver.peer();
  honest.more(honest.begin(200), 199);
  t.is(honest.calls, 1);
  t.is(receiver.memory.used, 8 * packet);
  for (const peer of trickling) t.deepEqual(peer.errors, []);
});

test('if memory is scarce, the largest unfinished message is refused unprocessed, and its credit returned', (t) => {
  const receiver = new Receiver(100 * packet);
  const [hog, other, honest] = [receiver.peer(), receiver.peer(), receiver.peer()];
  const id = hog.begin(100);
  hog.more(id, 59);
  other.more(other.begin(100), 19);
  receiver.pass(5_000);
  honest.more(honest.begin(80), 79);
  t.is(honest.calls, 1);
  t.deepEqual([hog.errors.length, other.errors.length, honest.errors.length], [1, 0, 0]);
  t.is(receiver.memory.used, 20 * packet);
  t.is(hog.pair.acceptor.session.parts.channels.get(0x20).inbox.left, 2 ** 30);
  hog.more(id, 10); // The packets that were in flight are dropped.
  t.is(hog.reason, undefined);
});

test('one message as large as limits.memory completes beside any number of small ones', (t) => {
  const receiver = new Receiver(256 * packet);
  const small = Array.from({ length: 20 }, () => receiver.peer());
  const ids = small.map((peer) => peer.begin(256));
  const honest = receiver.peer();
  const id = honest.begin(256);
  for (let i = 0; i < 255; i++) {
    honest.more(id, 1);
    const at = i % 20;
    if (i % 3 === 0) small[at]!.more(ids[at]!, 1);
  }
  t.is(honest.calls, 1);
  t.true(receiver.memory.used <= 256 * packet);
});

test('a connection that is refused memory, and was slower than 16 KiB/s for 10 s, is disconnected', (t) => {
  const receiver = new Receiver(256 * packet);
  const [slow, steady, fast] = [receiver.peer(), receiver.peer(), receiver.peer()];
  const trickle = slow.begin(256);
  slow.more(trickle, 65);
  for (let i = 0; i < 3; i++) {
    receiver.pass(6_000);
    slow.more(trickle, 1);
  }
  const id = steady.begin(256);
  for (let second = 0; second < 12; second++) {
    receiver.pass(1_000);
    steady.more(id, 5);
    if (second === 6) slow.more(trickle, 1);
  }
  t.is(slow.reason, undefined, 'it is tolerated as long as there is memory');
  fast.more(fast.begin(190), 189);
  t.is(fast.calls, 1);
  t.deepEqual(
    [slow.reason?.code, slow.reason?.message.includes('limits.memory is reached')],
    ['resource_exhausted', true],
  );
  t.is(steady.reason, undefined);
});

test('a call that fails because its connection ends makes room without it', (t) => {
  const receiver = new Receiver(256 * packet);
  const peer = receiver.peer();
  const { pair } = peer;
  const id = peer.begin(200);
  // So slow that it would be disconnected.
  for (let i = 0; i < 3; i++) {
    receiver.pass(6_000);
    peer.more(id, 1);
  }
  const asked = callOf('ask');
  pair.start(pair.acceptor, asked);
  pair.quiet();
  let ended = false;
  // As the pool does for a call that has to wait, made when this one has failed.
  asked.failed = () => {
    receiver.memory.hold(256 * packet);
    receiver.memory.makeRoom(receiver.now);
    ended = true;
  };
  pair.cut();
  t.true(ended);
});

test('unfinished one-ways and items count like requests', (t) => {
  const receiver = new Receiver(100 * packet);
  const [tells, gives, honest] = [receiver.peer(), receiver.peer(), receiver.peer()];
  for (let i = 0; i < 32; i++) {
    const id = tells.begin(100, Kind.ONEWAY, 2);
    tells.more(id, 9);
  }
  t.true(receiver.memory.used <= 100 * packet);
  t.true(tells.pair.acceptor.count('onewayDropped') >= 22);
  t.is(tells.reason, undefined);
  for (let i = 0; i < 20; i++) {
    const id = 2 * i + 1;
    gives.write({ kind: Kind.REQUEST, id, channel: 0x20, method: 3, flags: 1 }, 0);
    gives.write({ kind: Kind.ITEM, id, size: 100 * packet });
    gives.more(id, 9);
  }
  t.true(receiver.memory.used <= 100 * packet);
  t.true(gives.errors.length > 0);
  t.is(gives.reason, undefined);
  receiver.pass(8_000);
  honest.more(honest.begin(25), 24);
  t.is(honest.calls, 1);
  for (const peer of receiver.peers) peer.pair.cut();
  t.deepEqual([receiver.memory.used, receiver.memory.unfinished, receiver.memory.ahead], [0, 0, 0]);
});

test('a call that ends because another message stopped arriving is not ended twice', (t) => {
  const receiver = new Receiver(100 * packet);
  const peer = receiver.peer();
  const { acceptor } = peer.pair;
  for (const id of [1, 3]) {
    peer.write({ kind: Kind.REQUEST, id, channel: 0x20, method: 3, flags: 1 }, 0);
    peer.write({ kind: Kind.ITEM, id, size: 2 * packet });
  }
  const [first, second] = acceptor.calls;
  first!.whenGone((error) => void second!.carrier.fail(second!, error, false));
  receiver.pass(10_000);
  t.deepEqual([first!.open, second!.open], [false, false]);
  t.is(receiver.memory.used, 0);
});

test('a response or item that does not fit the memory limit fails its call, and the callee is told to stop', (t) => {
  for (const [name, kind] of [
    ['ask', Kind.RESPONSE],
    ['get', Kind.ITEM],
  ] as const) {
    const receiver = new Receiver(100 * packet);
    const peer = receiver.peer();
    const { pair } = peer;
    const { acceptor } = pair;
    const call = callOf(name);
    pair.start(acceptor, call);
    pair.tick(acceptor);
    const hold = receiver.peer();
    const held = hold.begin(100);
    peer.write({ kind, id: call.id, size: 90 * packet });
    peer.more(call.id, 20);
    hold.more(held, 95);
    t.is(call.error?.code, 'resource_exhausted', name);
    t.regex(
      call.error!.message,
      /limits\.memory is reached, .* was dropped after 8\d{4} of 368640 bytes/,
    );
    peer.more(call.id, 69);
    t.is(acceptor.ending, undefined, 'what still comes is dropped');
    if (kind === Kind.ITEM) peer.write({ kind: Kind.END, id: call.id }, 0);
    t.is(acceptor.session.parts.caller.slots.size, 0);
    t.is(receiver.memory.used, 96 * packet);
  }
});

test('an answer that has to wait displaces unfinished messages of other peers', (t) => {
  const receiver = new Receiver(100 * packet);
  const [hog, honest] = [receiver.peer(), receiver.peer()];
  const asked = callOf('ask');
  honest.pair.start(honest.pair.dialer, asked);
  honest.pair.quiet();
  const call = honest.pair.acceptor.take()[0]!;
  hog.more(hog.begin(100), 98);
  t.is(receiver.memory.used, 99 * packet);
  call.carrier.respond(call, new Uint8Array(2 * packet));
  t.true(receiver.memory.used <= 100 * packet);
  t.is(hog.errors.length, 1);
  honest.pair.quiet();
  t.is(asked.answer?.length, 2 * packet);
  t.is(receiver.memory.used, 0);
});

test('a call of this end that has to wait displaces unfinished messages, and fails only without any', (t) => {
  const receiver = new Receiver(100 * packet);
  const [hog, { pair }] = [receiver.peer(), receiver.peer()];
  const ask = (packets: number) => {
    const call = callOf('ask', packets * packet);
    pair.start(pair.acceptor, call);
    return call;
  };
  for (let i = 0; i < limits.calls; i++) ask(0);
  hog.more(hog.begin(100), 96);
  const waiting = ask(5);
  t.is(waiting.error, undefined);
  t.is(hog.errors.length, 1);
  t.is(receiver.memory.used, waiting.cost);
  const over = ask(100);
  t.like(over.error, { code: 'resource_exhausted', sent: false });
  t.regex(
    over.error!.message,
    /a call of 409\d{3} bytes has no room beside the 20\d{3} of 409600 bytes held/,
  );
});

test('refusals that wait displace unfinished messages, and are limited to 64 only without any', (t) => {
  const receiver = new Receiver(100 * packet);
  const [fast, other, slow] = [receiver.peer(), receiver.peer(), receiver.peer()];
  const { acceptor } = slow.pair;
  const refused = (calls: number) => {
    for (let i = 0; i < calls; i++) slow.begin(0, Kind.REQUEST, 99);
  };
  refused(1);
  acceptor.stuck = true;
  slow.pair.tick(acceptor);
  fast.more(fast.begin(100), 98);
  other.begin(100);
  t.is(receiver.memory.used, 100 * packet);
  refused(99);
  t.is(slow.reason, undefined);
  t.is(other.errors.length, 1);
  receiver.memory.hold(100 * packet);
  refused(1);
  t.like(slow.reason, { code: 'resource_exhausted', reason: 'flood' });
});

test('the pieces of refused messages are used for the next ones, and freed when none is incomplete', (t) => {
  const receiver = new Receiver(64 * packet);
  const [first, second] = [receiver.peer(), receiver.peer()];
  const small = first.begin(4);
  for (let message = 0; message < 100; message++) {
    const id = second.begin(200);
    for (let i = 0; i < 100 && second.errors.length === 0; i++) second.more(id, 1);
  }
  t.is(receiver.memory.unfinished, packet, 'all messages of the second peer were refused');
  t.is(second.reason, undefined);
  t.true(
    receiver.allocated < 100 * 10 * packet,
    `allocated ${receiver.allocated / packet} packets`,
  );
  first.more(small, 3);
  second.pair.acceptor.session.break(new TransportError('cancelled', 'over'));
  t.is(receiver.memory.unfinished, 0);
  t.is(receiver.freed, receiver.allocated - 4 * packet, 'all but the message that was handed over');
});

test('packets of refused messages take the same memory, however they are cut', (t) => {
  const receiver = new Receiver(64 * packet);
  const peers = [receiver.peer(), receiver.peer()];
  const ids = peers.map((peer) => peer.begin(200, Kind.ONEWAY, 2));
  receiver.memory.hold(64 * packet);
  for (const [at, peer] of peers.entries()) peer.more(ids[at]!, 1);
  t.is(receiver.memory.unfinished, 0, 'all messages were refused');
  const { allocated } = receiver;
  for (let i = 0; i < 100; i++)
    for (const [at, peer] of peers.entries()) peer.more(ids[at]!, 1, packet / 2);
  t.is(receiver.allocated - allocated, packet);
  t.deepEqual([peers[0]!.reason, peers[1]!.reason], [undefined, undefined]);
});
