// Tests of the trace: its hash and its timeline.

import { createHash } from 'node:crypto';
import test from 'ava';
import { checksum, formatTime, pair, Trace, TraceKind } from './trace.ts';

/** The parts of an event: time, kind, from, to, detail, size, check. */
type Event = readonly [number, TraceKind, number, number, number, number, number];

/** A trace whose clock the test sets. */
class TestTrace extends Trace {
  readonly #clock: { now: number };

  constructor() {
    const clock = { now: 0 };
    super(clock);
    this.#clock = clock;
  }

  at(now: number): this {
    this.#clock.now = now;
    return this;
  }

  event([at, kind, from, to, detail, size, check]: Event): void {
    this.at(at).record(kind, pair(from, to), detail, size, check);
  }
}

/** Computes the documented hash of a trace: names as they come, records of 24 bytes, in blocks. */
class Reference {
  readonly hash = createHash('sha256');
  #block: Uint8Array[] = [];

  name(name: string): void {
    this.hash.update(`${name}\n`);
  }

  record([at, kind, from, to, detail, size, check]: Event): void {
    const view = new DataView(new ArrayBuffer(24));
    view.setFloat64(0, at, true);
    view.setUint32(8, kind * 0x1_0000 + detail, true);
    view.setUint32(12, from * 0x1_0000 + to, true);
    view.setUint32(16, size, true);
    view.setUint32(20, check, true);
    this.#block.push(new Uint8Array(view.buffer));
    if (this.#block.length === 2_730) this.#flush();
  }

  digest(): string {
    this.#flush();
    return this.hash.digest('hex');
  }

  #flush(): void {
    for (const record of this.#block) this.hash.update(record);
    this.#block = [];
  }
}

test('the hash is SHA-256 over names and records, equal to that of node:crypto, at any length', (t) => {
  for (const count of [0, 1, 2_729, 2_730, 2_731, 10_000]) {
    const [trace, reference] = [new TestTrace(), new Reference()];
    for (const name of ['n1', 'n2', 'lab/echo request']) {
      t.is(trace.number(name), ['n1', 'n2', 'lab/echo request'].indexOf(name) + 1);
      reference.name(name);
    }
    for (let i = 0; i < count; i++) {
      const check = checksum(new Uint8Array([i]));
      const event: Event = [i * 0.37, TraceKind.sent, 1, 2, 3, i, check];
      trace.event(event);
      reference.record(event);
    }
    t.is(trace.events, count);
    t.is(trace.hash, trace.hash);
    t.is(trace.hash, reference.digest(), `${count} records`);
  }
});

test('every part of a record affects the hash', (t) => {
  const hashes = new Set<string>();
  const base = [1, TraceKind.sent, 1, 2, 3, 4, 5] as const;
  const hashOf = (record: readonly number[]) => {
    const trace = new TestTrace();
    for (const name of ['a', 'b', 'c', 'd']) trace.number(name);
    trace.event(record as unknown as Event);
    return trace.hash;
  };
  hashes.add(hashOf(base));
  for (let i = 0; i < base.length; i++)
    hashes.add(
      hashOf(base.map((part, at) => (at === i ? (i === 0 ? part + 1e-9 : part + 1) : part))),
    );
  t.is(hashes.size, base.length + 1);
});

test('a name has one number, which the hash covers; the names of a list are numbered once', (t) => {
  const [one, other] = [new TestTrace(), new TestTrace()];
  t.is(one.number('a'), one.number('a'));
  t.is(one.number(''), 0);
  other.number('b');
  t.not(one.hash, other.hash);
  const key = {};
  t.deepEqual(
    one.numbers(key, () => ['x', 'y']),
    [2, 3],
  );
  t.deepEqual(
    one.numbers(key, () => t.fail() as never),
    [2, 3],
  );
});

test('a text is part of the hash and of the timeline', (t) => {
  const [one, other] = [new TestTrace(), new TestTrace()];
  for (const trace of [one, other]) trace.number('n1');
  one.at(5).recordText(TraceKind.note, 1, 'leader of term 3');
  other.at(5).recordText(TraceKind.note, 1, 'leader of term 4');
  t.not(one.hash, other.hash);
  t.regex(one.timeline[0]!, /^ +5 ms {2}n1 +note +leader of term 3$/);
});

test('the timeline has the last 200 events, oldest first, across blocks', (t) => {
  for (const count of [0, 1, 199, 200, 201, 2_730, 2_731, 2_929, 2_930, 2_931, 9_000]) {
    const trace = new TestTrace();
    for (const name of ['a', 'b', 'm']) trace.number(name);
    for (let i = 0; i < count; i++) {
      if (i % 500 === 499) trace.at(i).recordText(TraceKind.fault, 0, `text ${i}`);
      else trace.event([i, TraceKind.arrived, 1, 2, 3, i, 0]);
    }
    const expected = Array.from({ length: Math.min(200, count) }, (_, line) => {
      const i = count - Math.min(200, count) + line;
      return i % 500 === 499 ? `fault text ${i}` : `a → b arrived m${i > 0 ? `, ${i} B` : ''}`;
    });
    const shown = trace.timeline.map((line) =>
      line
        .replace(/^ *[\d.]+ ms +/, '')
        .replace(/ {2,}/g, ' ')
        .replace(/ $/, ''),
    );
    t.deepEqual(shown, expected, `${count}`);
  }
});

test('times are shown to the microsecond', (t) => {
  t.deepEqual([1_234, 0.5, 1 / 3, 1e-9, 86_400_000].map(formatTime), [
    '1234',
    '0.5',
    '0.333',
    '0',
    '86400000',
  ]);
});

test('a checksum depends on the bytes and their order', (t) => {
  t.is(checksum(new Uint8Array(0)), 0x811c_9dc5);
  t.is(checksum(new TextEncoder().encode('foobar')), 0xbf9c_f968);
  t.not(checksum(new Uint8Array([1, 2])), checksum(new Uint8Array([2, 1])));
});

test('too many names are refused with a clear error', (t) => {
  const trace = new TestTrace();
  for (let i = 1; i <= 0xffff; i++) trace.number(`${i}`);
  t.throws(() => trace.number('one more'), { instanceOf: TypeError, message: /65535.*'one more'/ });
});

test('the line of a boot shows the number of the boot, not a size in bytes', (t) => {
  const trace = new TestTrace();
  trace.record(TraceKind.booted, pair(trace.number('n1'), 0), 0, 2);
  t.regex(trace.timeline[0]!, /n1 +booted +boot 2$/);
});
