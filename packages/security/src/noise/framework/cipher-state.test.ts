// Tests nonces and rekeying against the primitives themselves.

import test from 'ava';
import { pattern, toHex } from '../testing/bytes.ts';
import { suites } from '../testing/suites.ts';
import { CipherState } from './cipher-state.ts';
import { TAG } from './suite.ts';

for (const { name, suite } of suites) {
  const sealed = (state: CipherState) => {
    const bytes = new Uint8Array(5 + TAG);
    state.seal(undefined, pattern(5), bytes, 0);
    return toHex(bytes);
  };
  const bare = (key: Uint8Array, counter: bigint) => {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, counter, true);
    const bytes = new Uint8Array(5 + TAG);
    suite.seal({ key, nonce }, undefined, pattern(5), bytes, 0);
    return toHex(bytes);
  };

  test(`${name}: the nonce is a counter of 64 bits, its lowest byte first`, (t) => {
    for (const n of [
      0,
      1,
      255,
      256,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 32 + 1,
      2 ** 48 - 1,
      2 ** 53 - 2,
    ]) {
      const state = new CipherState(suite, pattern(32), n);
      t.is(sealed(state), bare(pattern(32), BigInt(n)), `n = ${n}`);
      t.is(state.n, n + 1);
      t.is(sealed(state), bare(pattern(32), BigInt(n) + 1n), `n = ${n} + 1`);
    }
  });

  test(`${name}: rekey uses the first 32 bytes of zeros encrypted with the last nonce, and the counter continues`, (t) => {
    const state = new CipherState(suite, pattern(32), 7);
    state.rekey();
    const made = new Uint8Array(32 + TAG);
    suite.seal(
      { key: pattern(32), nonce: new Uint8Array(12).fill(0xff, 4) },
      undefined,
      new Uint8Array(32),
      made,
      0,
    );
    t.is(sealed(state), bare(made.subarray(0, 32), 7n));
    t.is(state.n, 8);
  });

  test(`${name}: an invalid ciphertext uses no nonce`, (t) => {
    const bytes = new Uint8Array(5 + TAG);
    new CipherState(suite, pattern(32)).seal(undefined, pattern(5), bytes, 0);
    const state = new CipherState(suite, pattern(32));
    t.is(state.open(undefined, pattern(5 + TAG)), undefined);
    t.is(state.n, 0);
    t.deepEqual(state.open(undefined, bytes), pattern(5) as Uint8Array<ArrayBuffer>);
  });
}
