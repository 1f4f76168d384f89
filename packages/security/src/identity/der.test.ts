// Tests of the DER reader.

import test from 'ava';
import { derElements, derSequence, dottedOid } from './der.ts';
import { fromHex, toHex } from './testing/bytes.ts';

const read = (hex: string) => derElements(fromHex(hex)).map(({ tag, body }) => [tag, toHex(body)]);

test('values are read one after the other', (t) => {
  t.deepEqual(read('0201050400'), [
    [2, '05'],
    [4, ''],
  ]);
  t.deepEqual(read(`048180${'07'.repeat(128)}`), [[4, '07'.repeat(128)]]);
  t.deepEqual(read(`04820100${'07'.repeat(256)}`), [[4, '07'.repeat(256)]]);
});

test('bytes that are not DER give nothing', (t) => {
  const cases = {
    'no length': '02',
    'a length cut off': '0482',
    'contents cut off': '020301',
    'an indefinite length': '30800000',
    'a long form where the short one would do': '04810105',
    'a length with a zero before it': `04820080${'07'.repeat(128)}`,
    'a length of four bytes': '048401000000',
    'a tag of several bytes': '1f810100',
    'a byte left over': '02010503',
  };
  for (const [name, hex] of Object.entries(cases)) t.deepEqual(read(hex), [], name);
});

test('a sequence is read only if nothing follows it', (t) => {
  t.is(derSequence(fromHex('3003020105')).length, 1);
  t.is(derSequence(fromHex('30030201050500')).length, 0);
  t.is(derSequence(fromHex('3103020105')).length, 0);
  t.is(derSequence(fromHex('')).length, 0);
});

test('object identifiers are read as they are written', (t) => {
  t.is(dottedOid(fromHex('2a8648ce3d030107')), '1.2.840.10045.3.1.7');
  t.is(dottedOid(fromHex('2b6570')), '1.3.101.112');
  t.is(dottedOid(fromHex('551d0e')), '2.5.29.14');
  t.is(dottedOid(fromHex('883703')), '2.999.3');
  t.is(dottedOid(fromHex('')), '');
});
