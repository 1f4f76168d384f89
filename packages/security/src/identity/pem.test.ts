// Tests of encoding and decoding PEM.

import test from 'ava';
import { encodePem, pemBlocks } from './pem.ts';

test('a written block is parsed again', (t) => {
  for (const length of [0, 1, 2, 3, 47, 48, 49, 500]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    const text = encodePem('PUBLIC KEY', bytes);
    t.true(text.split('\n').every((line) => line.length <= 64));
    if (length > 0) t.deepEqual(pemBlocks(text), [{ label: 'PUBLIC KEY', bytes }]);
  }
});

test('blocks are parsed in order, and comments are ignored', (t) => {
  const text = `first\n${encodePem('A', new Uint8Array([1]))}between\n${encodePem('B', new Uint8Array([2]))}last`;
  t.deepEqual(
    pemBlocks(text).map(({ label, bytes }) => [label, ...bytes!]),
    [
      ['A', 1],
      ['B', 2],
    ],
  );
});

test('a block without its end, or with invalid base64, has no bytes', (t) => {
  const bytes = (text: string) => pemBlocks(text).map((block) => block.bytes);
  t.deepEqual(bytes('-----BEGIN A-----\nAAAA\n'), [undefined]);
  t.deepEqual(bytes('-----BEGIN A-----\nAAAA\n-----END B-----\n'), [undefined]);
  for (const body of ['', 'AAA', 'AA=A', 'AAAA====', 'A*AA', 'Proc-Type: 4,ENCRYPTED\n\nAAAA']) {
    t.deepEqual(bytes(`-----BEGIN A-----\n${body}\n-----END A-----\n`), [undefined], body);
  }
});

test('every text is parsed quickly', (t) => {
  const hostile = [
    '-----BEGIN A-----'.repeat(50_000),
    '-----BEGIN '.repeat(90_000),
    `-----BEGIN A-----${' '.repeat(900_000)}`,
    '-'.repeat(900_000),
  ];
  for (const text of hostile) t.true(pemBlocks(text).length <= 1);
});
