// Tests records: keys change in time, a direction ends before its counter runs out, and only the
// next record of a direction is accepted.

import test from 'ava';
import { CipherState } from '../framework/cipher-state.ts';
import { pattern, toHex } from '../testing/bytes.ts';
import { suites } from '../testing/suites.ts';
import { MOST_RECORDS, openRecord, RECORD_OVERHEAD, REKEY_AFTER, sealRecord } from './records.ts';

for (const { name, suite } of suites) {
  const pair = (n = 0) =>
    [new CipherState(suite, pattern(32), n), new CipherState(suite, pattern(32), n)] as const;
  const seal = (cipher: CipherState, plaintext: Uint8Array) => {
    const record = new Uint8Array(plaintext.length + RECORD_OVERHEAD);
    sealRecord(cipher, plaintext, record, 0);
    return record;
  };

  test(`${name}: a record is two bytes of length and a Noise message`, (t) => {
    const [sender, receiver] = pair();
    const record = seal(sender, pattern(300));
    t.deepEqual([record[0], record[1]], [1, 60]);
    t.deepEqual(openRecord(receiver, record.subarray(2)), pattern(300) as Uint8Array<ArrayBuffer>);
  });

  test(`${name}: both ends rekey after ${REKEY_AFTER} records, and not before`, (t) => {
    const [sender, receiver] = pair(REKEY_AFTER - 2);
    const old = new CipherState(suite, pattern(32), REKEY_AFTER - 2);
    for (let i = 0; i < 5; i++) {
      const record = seal(sender, pattern(9, i + 1));
      const byOldKey = new Uint8Array(9 + 16);
      old.seal(undefined, pattern(9, i + 1), byOldKey, 0);
      t.is(toHex(record.subarray(2)) === toHex(byOldKey), i < 2, `record ${REKEY_AFTER - 2 + i}`);
      t.deepEqual(
        openRecord(receiver, record.subarray(2)),
        pattern(9, i + 1) as Uint8Array<ArrayBuffer>,
      );
    }
  });

  test(`${name}: both ends rekey after each further ${REKEY_AFTER} records`, (t) => {
    const [sender, receiver] = pair(3 * REKEY_AFTER - 1);
    const old = new CipherState(suite, pattern(32), 3 * REKEY_AFTER);
    openRecord(receiver, seal(sender, pattern(9)).subarray(2));
    const record = seal(sender, pattern(9)).subarray(2);
    const byOldKey = new Uint8Array(9 + 16);
    old.seal(undefined, pattern(9), byOldKey, 0);
    t.not(toHex(record), toHex(byOldKey));
    t.deepEqual(openRecord(receiver, record), pattern(9) as Uint8Array<ArrayBuffer>);
  });

  test(`${name}: a record that is repeated, reordered, altered, cut or of the other direction is refused`, (t) => {
    const [sender, receiver] = pair();
    const [first, second] = [
      seal(sender, pattern(50, 1)).subarray(2),
      seal(sender, pattern(50, 2)).subarray(2),
    ];
    t.is(openRecord(receiver, second), undefined, 'the second before the first');
    t.true(openRecord(receiver, first) !== undefined);
    t.is(openRecord(receiver, first), undefined, 'the first again');
    for (let i = 0; i < second.length; i++) {
      const altered = second.slice();
      altered[i]! ^= 0x10;
      t.is(openRecord(receiver, altered), undefined);
      t.is(openRecord(receiver, second.subarray(0, i)), undefined);
    }
    t.is(
      openRecord(new CipherState(suite, pattern(32, 2), 1), second),
      undefined,
      'with another key',
    );
    t.true(openRecord(receiver, second) !== undefined);
  });

  test(`${name}: no record is read after a direction has reached its limit`, (t) => {
    const [sender, receiver] = pair(MOST_RECORDS - 1);
    t.true(Number.isSafeInteger(MOST_RECORDS + 1));
    t.true(openRecord(receiver, seal(sender, pattern(3)).subarray(2)) !== undefined);
    t.is(openRecord(receiver, seal(sender, pattern(3)).subarray(2)), undefined);
  });
}
