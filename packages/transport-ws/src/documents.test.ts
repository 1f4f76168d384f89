// Checks that the documentation of the WebSocket mapping matches the code.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { CUT, closeError, SUB_PROTOCOL, UNSUPPORTED_DATA } from './close-codes.ts';
import { WS_LIMITS } from './ws-limits.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const WIRE = readFileSync(new URL('../../../docs/wire-protocol.md', import.meta.url), 'utf8');

test('the README and the wire page name the sub-protocol that a server requires', (t) => {
  for (const text of [README, WIRE]) {
    t.true(text.includes(`\`${SUB_PROTOCOL}\``));
    t.notRegex(text, /sub-protocol (is\s+)?`trunkline`/i);
  }
});

test('the wire page and the code agree on close codes', (t) => {
  const rows = [...WIRE.matchAll(/^\| (\d{4})[^|]*\|[^|]*\| ([^|]*) \|$/gm)];
  t.deepEqual(
    rows.map(([, code]) => Number(code)),
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, CUT],
  );
  for (const [, code, meaning] of rows) {
    const error = closeError(Number(code), '', 'somebody');
    t.is(
      meaning,
      error === undefined ? 'an orderly end' : `\`${error.code}\`/\`${error.reason}\``,
      code,
    );
  }
  t.true(WIRE.includes(`${WS_LIMITS.maxPayload / 2 ** 20} MiB`));
  t.is(UNSUPPORTED_DATA, 1003);
});
