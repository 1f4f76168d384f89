// Tests of the frame decoder against hostile input.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { FrameDecoder, type FrameViolation } from './decoder.ts';
import type { Frame } from './frame.ts';
import { randomFrame } from './testing/frames.ts';
import {
  bytesOf,
  FrameType,
  framed,
  hex,
  joined,
  readByProto,
  writtenByProto,
} from './testing/proto.ts';
import { accepted, allocate, MAX, read, refused } from './testing/reading.ts';

/** Returns why a frame with these bytes is refused; undefined if it is accepted. */
const violationOf = (bytes: Uint8Array) => read([framed(bytes)]).violation?.message;

test('hostile lengths end the connection before any memory is taken', (t) => {
  const lengths: [string, string][] = [
    ['00', 'malformed'],
    ['8000', 'malformed'],
    ['80808000', 'malformed'],
    ['ffffff7f', 'too_large'],
    ['818005', 'too_large'],
    ['ffffffff0f', 'malformed'],
    ['ffffffffffffff0f', 'malformed'],
    ['ffffffffffffffffff01', 'malformed'],
    ['80808080', 'malformed'],
  ];
  for (const [digits, reason] of lengths) {
    for (const bytewise of [false, true]) {
      const decoder = new FrameDecoder({
        maxLength: MAX,
        allocate: () => t.fail('memory was taken') as never,
      });
      const bytes = bytesOf(digits);
      let violation: FrameViolation | undefined;
      for (const chunk of bytewise ? Array.from(bytes, (byte) => new Uint8Array([byte])) : [bytes])
        violation ??= decoder.read(chunk, { frame: () => t.fail() as never });
      t.is(violation?.reason, reason as 'malformed', digits);
      t.is(decoder.partial, 0);
    }
  }
  t.is(read([bytesOf('00')]).violation?.message, 'an empty frame');
  t.deepEqual(read([bytesOf('05 0802')], 4).violation, {
    reason: 'too_large',
    message: 'a frame of 5 bytes, above the limit of 4 here',
  });
  t.deepEqual(
    read([framed(new Uint8Array(MAX).fill(1))]).violation?.reason,
    'malformed',
    'the longest frame is read',
  );
});

test('memory is allocated only for received bytes, at most four times as much', (t) => {
  let taken = 0;
  const decoder = new FrameDecoder({
    maxLength: 2 ** 21,
    allocate(size) {
      taken = size;
      return new Uint8Array(size);
    },
  });
  const length = 1_000_000;
  const bytes = framed(joined([bytesOf('080c 7aba843d'), new Uint8Array(length - 6)]));
  let payload = 0;
  const visitor = {
    frame(frame: Frame) {
      payload = frame.payload.length;
      return true;
    },
  };
  for (let at = 0; at < bytes.length; at += 1000) {
    t.is(decoder.read(bytes.subarray(at, at + 1000), visitor), undefined);
    t.true(taken <= Math.max(4096, 4 * (at + 1000)));
  }
  t.is(taken, length);
  t.is(payload, length - 6);
});

test('values of 2^32 and above are refused in every integer field', (t) => {
  for (const field of FrameType.fieldsArray) {
    if (field.type !== 'uint32') continue;
    const tag = hex(new Uint8Array([field.id << 3]));
    t.is(refused(`0808 ${tag}8080808010`), `field ${field.id} has a value of 2^32 or more`);
    t.is(
      refused(`0808 ${tag}ffffffffffffffffff01`),
      `field ${field.id} has a value of 2^32 or more`,
    );
    t.is(
      refused(`0808 ${tag}8080808080808080808000`),
      `field ${field.id} has a varint of more than 10 bytes`,
    );
  }
  t.is(refused('0808 7a8080808010'), 'field 15 has a value of 2^32 or more');
  t.is(refused('0808 80808080 10'), "a field's tag has a value of 2^32 or more");
  t.is(refused('0808 ffffffffffffffffffff01'), "a field's tag has a varint of more than 10 bytes");
  t.is(refused('0808 8001 ffffffffffffffffffff01'), 'field 16 has a varint of more than 10 bytes');
});

test('known fields with another wire type are refused', (t) => {
  for (const field of FrameType.fieldsArray) {
    const own = field.type === 'uint32' ? 0 : field.type === 'fixed32' ? 5 : 2;
    for (const [type, value] of [
      [0, '01'],
      [1, '0102030405060708'],
      [2, '0101'],
      [5, '01020304'],
    ] as const) {
      if (type === own) continue;
      t.is(
        refused(
          `${field.id === 1 ? '' : '0808'} ${hex(new Uint8Array([(field.id << 3) | type]))} ${value}`,
        ),
        `field ${field.id} has the wrong wire type ${type}`,
      );
    }
  }
});

test('groups, unknown wire types and field 0 are refused', (t) => {
  t.is(refused('0808 1b 1c'), 'a group (field 3)');
  t.is(refused('0808 8301 8401'), 'a group (field 16)');
  t.is(refused('0808 8401'), 'a group (field 16)');
  t.is(refused('0808 8601'), 'field 16 has the wire type 6, which does not exist');
  t.is(refused('0808 8701'), 'field 16 has the wire type 7, which does not exist');
  t.is(refused('0808 0001'), 'a field with the number 0');
  t.is(refused('0808 5a02 0b0c'), 'a group (field 1)');
  t.is(refused('0808 5a02 0801'), 'field 1 has the wrong wire type 0');
});

test('unknown flags are refused for known kinds, and ignored for skipped ones', (t) => {
  for (const [kind, flags] of [...Array(31).keys()].map(
    (n) => [n + 1, n + 1 === 8 ? 3 : n + 1 === 14 ? 1 : 0] as const,
  )) {
    const told = (flags: number) => violationOf(writtenByProto({ kind, flags }));
    if (flags > 0) t.is(told(flags), undefined);
    t.is(told(flags + 1), `a frame of kind ${kind} with unknown flags ${flags + 1}`);
    const high = read([framed(writtenByProto({ kind, flags: 0x8000_0000 }))]);
    t.is(high.violation?.reason, 'malformed');
  }
  t.deepEqual(accepted('0820 28ff01'), { kind: 32, flags: 255 });
});

test('a text of more than 1 KiB is refused', (t) => {
  const told = (length: number) =>
    violationOf(writtenByProto({ kind: 14, text: 'x'.repeat(length) }));
  t.is(told(1_024), undefined);
  t.is(told(1_025), 'a text of 1025 bytes; at most 1024');
});

test('a frame without a kind is refused', (t) => {
  t.is(refused('1501000000'), 'a frame without a kind');
  t.is(refused('0800'), 'a frame without a kind');
  t.is(refused('0808 0800'), 'a frame without a kind');
  t.deepEqual(
    accepted('08ffffffff0f'),
    { kind: 2 ** 32 - 1 },
    'any other is for the session to judge',
  );
});

test('a frame that ends inside a field is refused, wherever it is cut', (t) => {
  const random = seededRandom(7);
  const whole = 'a frame that ends inside a field';
  const inputs =
    '08, 0808 15, 0808 15010000, 0808 18, 0808 1880, 0808 7a, 0808 7a01, 0808 7a02aa, 0808 5a030a0261, 0808 5a020a01, 0808 80, 0808 8001, 0808 890101, 0808 9201, 0808 920101, 0808 9d010102'.split(
      ', ',
    );
  for (const digits of inputs) t.is(refused(digits), whole, digits);
  for (let round = 0; round < 200; round++) {
    const bytes = writtenByProto({
      ...randomFrame(random),
      payload: 'ab'.repeat(1 + Math.floor(random() * 300)),
    });
    for (const cut of new Set(
      Array.from({ length: 50 }, () => 1 + Math.floor(random() * (bytes.length - 1))),
    )) {
      // The rest may happen to end between two fields; then it is a valid frame, even for
      // protobufjs.
      const { frames, violation } = read([framed(bytes.subarray(0, cut))]);
      if (violation === undefined) t.deepEqual(frames, [readByProto(bytes.subarray(0, cut))]);
      else t.is(violation.message, whole);
    }
  }
});

test('a length never reaches into the next frame', (t) => {
  const behind = framed(writtenByProto({ kind: 10, id: 1, payload: 'aa'.repeat(40) }));
  for (const digits of '0808 7a03aabb, 0808 150100, 0808 18, 0808 30ff, 0808 52056162, 0808 8901 0102, 0808 9201 05aa, 0808 8001 80, 08'.split(
    ', ',
  )) {
    const { violation } = read([joined([framed(bytesOf(digits)), behind])]);
    t.is(violation?.message, 'a frame that ends inside a field', digits);
  }
});

test('metadata above 8 KiB is refused, and so are too many entries', (t) => {
  const entry = (key: string, value: string) => writtenByProto({ metadata: { [key]: value } });
  const told = (...entries: Uint8Array[]) => violationOf(joined([bytesOf('0808'), ...entries]));
  t.is(told(entry('key', 'v'.repeat(8189))), undefined);
  t.is(told(entry('key', 'v'.repeat(8190))), 'metadata of more than 8192 bytes');
  const many = Array.from({ length: 3000 }, (_, i) => entry(String(i), ''));
  t.is(told(...many), 'metadata of more than 8192 bytes');
});

test('after a violation nothing more is read', (t) => {
  const decoder = new FrameDecoder({ maxLength: MAX, allocate });
  const kinds: number[] = [];
  const visitor = { frame: (frame: Frame) => kinds.push(frame.kind) > 0 };
  t.is(decoder.read(bytesOf('020802 020800 020802'), visitor)?.reason, 'malformed');
  t.is(decoder.read(bytesOf('020802'), visitor), undefined);
  t.is(decoder.partial, 0);
  t.deepEqual(kinds, [2]);
});

test('ten thousand unknown fields are skipped quickly and leave nothing behind', (t) => {
  const noise = joined(Array.from({ length: 26_000 }, () => bytesOf('800105')));
  t.deepEqual(read([framed(joined([noise, bytesOf('0802')]))]).frames, [{ kind: 2 }]);
});
