// Tests of spare addresses.

import test from 'ava';
import { spareAddress } from './spare-address.ts';

test('a spare address has a port below those that the system assigns, and another one each time', (t) => {
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const address = spareAddress('127.0.0.1:45678');
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(address)?.[1]);
    t.true(port >= 20_000 && port < 32_000, address);
    seen.add(address);
  }
  t.is(seen.size, 100);
});

test('a spare address keeps scheme, host and path', (t) => {
  t.regex(spareAddress('ws://[::1]:45678/rpc'), /^ws:\/\/\[::1\]:(2\d{4}|3[01]\d{3})\/rpc$/);
  t.is(spareAddress('memory://node-1'), 'memory://node-1');
});
