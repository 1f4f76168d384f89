// Tests streams over a long line in virtual time: their windows follow the pipe's, within
// `limits.memory`.

import test from 'ava';
import { ACCOUNT_MAX } from '../wire/frame.ts';
import { GrowingAccount } from './credit.ts';
import type { InStream, OutStream } from './streams.ts';
import { OutboxFixture } from './testing/outbox-fixture.ts';
import { type End, Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';
import type { TestCall } from './testing/test-call.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** The rate in bytes per millisecond (100 Mbit/s), and the one-way delay in milliseconds. */
const RATE = 12_500;
const WAY = 50;
const ITEM = new Uint8Array(256 * KIB);

const credit = {
  ...SMALL.credit,
  pipe: 256 * KIB,
  pipeMax: 16 * MIB,
  stream: 256 * KIB,
};
const limits = {
  ...SMALL,
  packet: 64 * KIB,
  item: MIB,
  outbound: { messages: 1_000, bytes: 16 * MIB },
  credit,
};

/** Two ends connected by a line, with streams that are written as fast as possible. */
class LongLine {
  readonly pair: Pair;
  /** Bytes of items that the readers have taken. */
  taken = 0;
  /** The highest value of an end's `memory.lent`. */
  peak = 0;
  readonly #free = new Map<End, number>();
  readonly #crossing: { at: number; from: End; chunk: Uint8Array }[] = [];
  readonly #readers: { stream: InStream; each: number; next: number }[] = [];
  readonly #each: number;

  /** @param each the milliseconds that a reader needs for an item. */
  constructor({ memory = 512 * MIB, pipeMax = 16 * MIB, each = 0 } = {}) {
    const keepAlive = { interval: 1e9, timeout: 1e9 };
    this.pair = new Pair([protocol], {
      limits: { ...limits, credit: { ...credit, pipeMax } },
      keepAlive,
    });
    for (const end of this.ends) Object.assign(end.memory, { limit: memory });
    this.#each = each;
  }

  /** Exchanges the hellos over the line, whose round trip the first PING measures. */
  open(): Promise<this> {
    this.pair.dialer.session.open({});
    return this.run(1_000);
  }

  get ends(): [End, End] {
    return [this.pair.dialer, this.pair.acceptor];
  }

  upload(): TestCall {
    const call = callOf('give', 0);
    this.pair.start(this.pair.dialer, call);
    void this.#write(call.upload!);
    return call;
  }

  download(): TestCall {
    const call = callOf('get', 0);
    this.pair.start(this.pair.dialer, call);
    // It has a stream once its request was written.
    this.pair.tick(this.pair.dialer);
    this.#read(call.download!);
    return call;
  }

  async run(milliseconds: number): Promise<this> {
    const { pair } = this;
    for (let i = 0; i < milliseconds; i++) {
      pair.pass(1);
      for (
        let next = this.#crossing[0];
        next !== undefined && next.at <= pair.now;
        next = this.#crossing[0]
      ) {
        this.#crossing.shift();
        pair.hand(next.from, next.chunk);
      }
      for (const call of pair.acceptor.take()) {
        if (call.download !== undefined) void this.#write(call.download);
        else this.#read(call.upload!);
      }
      this.#take();
      await null;
      for (const end of this.ends) {
        if (end.isDirty) pair.tick(end);
        for (const chunk of end.sent.splice(0)) this.#send(end, chunk);
        this.peak = Math.max(this.peak, end.memory.lent);
      }
    }
    return this;
  }

  /**
   * Returns the number of item bytes that arrive within `milliseconds`, as a share of the line's
   * capacity.
   */
  async share(milliseconds: number): Promise<number> {
    const before = this.taken;
    await this.run(milliseconds);
    return (this.taken - before) / (milliseconds * RATE);
  }

  #send(from: End, chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += 16 * KIB) {
      const part = chunk.slice(at, at + 16 * KIB);
      const free = Math.max(this.#free.get(from) ?? 0, this.pair.now) + part.length / RATE;
      this.#free.set(from, free);
      const arrival = { at: free + WAY, from, chunk: part };
      let place = this.#crossing.length;
      while (place > 0 && this.#crossing[place - 1]!.at > arrival.at) place--;
      this.#crossing.splice(place, 0, arrival);
    }
  }

  async #write(stream: OutStream): Promise<void> {
    try {
      for (;;) await stream.write(ITEM);
    } catch {
      // The call has ended.
    }
  }

  #read(stream: InStream): void {
    this.#readers.push({ stream, each: this.#each, next: 0 });
  }

  #take(): void {
    for (const reader of this.#readers) {
      while (reader.next <= this.pair.now) {
        const item = reader.stream.take();
        if (item === undefined) {
          reader.stream.wait(() => {});
          break;
        }
        this.taken += item.length;
        if (reader.each > 0) reader.next = this.pair.now + reader.each;
      }
    }
  }
}

for (const kind of ['upload', 'download'] as const) {
  test(`${kind}s fill a long line, one alone and several at once`, async (t) => {
    for (const streams of [1, 3]) {
      const line = await new LongLine().open();
      for (let i = 0; i < streams; i++) line[kind]();
      await line.run(1_000);
      const share = await line.share(3_000);
      t.true(share > 0.93, `${streams} carry ${share}`);
    }
  });
}

test('a stream of large items is bounded by the pipe alone', async (t) => {
  const line = await new LongLine({ pipeMax: 1.25 * MIB }).open();
  line.upload();
  await line.run(2_000);
  const share = await line.share(2_000);
  t.true(share > 0.95, `${share}`);
});

test('if the pipe may not grow, no stream does', async (t) => {
  const line = await new LongLine({ pipeMax: 256 * KIB }).open();
  line.upload();
  await line.run(2_000);
  t.true((await line.share(2_000)) < 0.45);
  t.is(line.peak, 0);
});

test('windows grow to half of limits.memory, and return what they borrowed when their calls end', async (t) => {
  const line = await new LongLine({ memory: 4 * MIB }).open();
  const calls = Array.from({ length: 6 }, () => line.upload());
  await line.run(3_000);
  t.true(line.peak > MIB && line.peak <= 2 * MIB, `${line.peak}`);
  for (const call of calls) call.giveUp('cancelled');
  await line.run(1_000);
  for (const end of line.ends) t.is(end.memory.lent, 0);
});

test('when the connection ends nothing is borrowed any more', async (t) => {
  const line = await new LongLine().open();
  line.upload();
  line.download();
  await line.run(2_000);
  t.true(line.peak > MIB);
  line.pair.cut();
  for (const end of line.ends) t.is(end.memory.lent, 0);
});

test('the window of a slow reader stays small, and the reader is kept busy', async (t) => {
  const line = await new LongLine({ each: 100 }).open();
  line.upload();
  await line.run(3_000);
  let most = 0;
  for (let i = 0; i < 30; i++) {
    await line.run(100);
    most = Math.max(most, line.pair.acceptor.memory.used);
  }
  t.true(most <= 1.5 * MIB, `${most}`);
  const share = await line.share(2_000);
  t.true(share > 0.19, `${share} of the line, of which it could take ${ITEM.length / 100 / RATE}`);
});

test('the window never exceeds 2^31 − 1', (t) => {
  const stream = ACCOUNT_MAX - 1_000;
  const fixture = new OutboxFixture({
    ...limits,
    credit: { ...credit, pipeMax: ACCOUNT_MAX, stream },
  });
  fixture.context.grow(MIB);
  const account = new GrowingAccount(fixture.context, fixture.batch, 1);
  account.spend(MIB);
  account.used(MIB, 0);
  account.pay();
  fixture.pump();
  t.is(account.left, ACCOUNT_MAX);
});
