// Tests of the encodings that origins, relays and receivers exchange.

import test from 'ava';
import { idOf } from '../testing/cluster.ts';
import {
  decodeHead,
  decodeReceipt,
  decodeReport,
  encodeHead,
  encodeReceipt,
  encodeReport,
} from './frame.ts';

const id = { origin: idOf('a'), epoch: 1_700_000_000_000, sequence: 7 };
const topic = idOf('topic');

test('relay frames are decoded as they were encoded', (t) => {
  for (const rest of [[], [idOf('b')], [idOf('b'), idOf('c')]]) {
    const head = { topic, id, hops: 3, size: 66_000_000, rest };
    t.deepEqual(decodeHead(encodeHead(head)), head);
    for (const outcome of ['took', 'had', 'busy'] as const)
      t.deepEqual(decodeReport(encodeReport({ outcome, missed: rest })), { outcome, missed: rest });
  }
  t.deepEqual(decodeReceipt(encodeReceipt({ topic, id })), { topic, id });
  for (const verdict of ['took', 'not-on-topic', 'rejected', 'old', 'no-room'] as const) {
    t.deepEqual(decodeReceipt(encodeReceipt({ topic, id, verdict })), { topic, id, verdict });
  }
  const unknown = encodeReceipt({ topic, id, verdict: 'took' });
  unknown[76] = 0xff;
  t.is(decodeReceipt(unknown)?.verdict, 'refused');
});

test('heads, reports and receipts of a wrong length, with too many nodes or with one twice are invalid', (t) => {
  const head = encodeHead({ topic, id, hops: 1, size: 1, rest: [idOf('b')] });
  for (const length of [0, 1, 76, 81, 83, head.length - 1])
    t.is(decodeHead(head.subarray(0, length)), undefined, `${length}`);
  t.is(
    decodeHead(encodeHead({ topic, id, hops: 1, size: 1, rest: [idOf('b'), idOf('b')] })),
    undefined,
  );
  const many = Array.from({ length: 1_025 }, (_, i) => idOf(`n${i}`));
  t.is(decodeHead(encodeHead({ topic, id, hops: 1, size: 1, rest: many })), undefined);
  t.is(
    decodeHead(encodeHead({ topic, id, hops: 1, size: 1, rest: many.slice(1) }))?.rest.length,
    1_024,
  );
  t.is(decodeReport(Uint8Array.of()), undefined);
  t.is(decodeReport(Uint8Array.of(3)), undefined);
  t.is(decodeReport(Uint8Array.of(0, 0)), undefined);
  for (const length of [0, 75, 78]) t.is(decodeReceipt(new Uint8Array(length)), undefined);
});
