// Tests of validating and merging TLS options.

import type { TlsOptions } from '@trunkline/transport-core/backend';
import test from 'ava';
import { mergeTls, parseTls } from './mutual-tls.ts';

const id = 'ab'.repeat(32);
const good: TlsOptions = { key: 'k', cert: 'c' };

test('an invalid option throws a TypeError that names the caller, the path and the rule', (t) => {
  const rows: [unknown, RegExp][] = [
    [{ cert: 'c' }, /^x: tls\.key: is required/],
    [{ key: 'k' }, /^x: tls\.cert: is required/],
    [{ ...good, key: 7 }, /tls\.key: must be PEM.*got 7/],
    [{ ...good, key: '' }, /tls\.key: must be PEM/],
    [{ ...good, ca: [] }, /tls\.ca: must be PEM.*or a list of them/],
    [
      { ...good, allow: ['AB'.repeat(32)] },
      /tls\.allow: must be a list of node ids: 64 lower-case hex digits each/,
    ],
    [{ ...good, allow: id }, /tls\.allow/],
    [{ ...good, deny: [id.slice(1)] }, /tls\.deny/],
    [{ ...good, crt: 'c' }, /tls\.crt: unknown option/],
  ];
  for (const [tls, message] of rows)
    t.throws(() => parseTls(tls as TlsOptions, 'x'), { instanceOf: TypeError, message });
});

test('an option may be undefined, and texts may be the bytes of a file', (t) => {
  const tls = parseTls(
    { key: new Uint8Array([1]), cert: 'c', ca: undefined, allow: undefined, deny: undefined },
    'x',
  );
  t.deepEqual([...(tls.key as Uint8Array)], [1]);
});

test('a change keeps options that it does not name, replaces lists, and removes one with null', (t) => {
  const before: TlsOptions = { key: 'k', cert: 'c', ca: 'a', allow: [id], deny: [] };
  t.deepEqual(mergeTls(before, {}), before);
  t.deepEqual(mergeTls(before, { allow: undefined, deny: [id] }), { ...before, deny: [id] });
  t.deepEqual(mergeTls(before, { allow: null, ca: null }), {
    ...before,
    allow: undefined,
    ca: undefined,
  });
  t.throws(() => mergeTls(before, { deny: null } as never), {
    instanceOf: TypeError,
    message: /updateTls: deny/,
  });
  t.throws(() => mergeTls(before, { keys: 'k' } as never), {
    instanceOf: TypeError,
    message: /updateTls: keys: unknown option; did you mean 'key'/,
  });
});
