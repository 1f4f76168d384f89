// Checks that docs/errors.md lists every code, reason and counter in the source, and no others.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ERROR_CODES, ERROR_REASONS } from 'trunkline/backend';
import { tableBelow } from './markdown.ts';
import { read, root } from './texts.ts';

const text = read('docs/errors.md');
const unquoted = (cell: string | undefined) => cell?.replace(/^`(.*)`$/, '$1');

test('the table of codes is that of the source: names, order, numbers on the wire', (t) => {
  const rows = tableBelow(text, 'Codes').map(([name, wire]) => [unquoted(name), Number(wire)]);
  t.deepEqual(rows, Object.entries(ERROR_CODES));
});

test('the table of reasons is that of the source: names, order, codes, numbers on the wire', (t) => {
  const rows = tableBelow(text, 'Reasons').map(([name, code, wire]) => [
    unquoted(name),
    { wire: wire === '–' ? 0 : Number(wire), code: unquoted(code) },
  ]);
  t.deepEqual(rows, Object.entries(ERROR_REASONS));
});

test('each code and each reason says what happened, what `sent` is and what to do', (t) => {
  for (const row of tableBelow(text, 'Codes'))
    for (const cell of row) t.true(cell.length > 0, row[0]);
  for (const row of tableBelow(text, 'Reasons'))
    for (const cell of row) t.true(cell.length > 0, row[0]);
});

const union =
  /export type TransportCounter =([^;]*);/.exec(
    read('packages/transport-core/src/observer.ts'),
  )?.[1] ?? '';
const counters = [...union.matchAll(/'(\w+)'/g)].map((match) => match[1]);

test('the table of counters is that of the source', (t) => {
  t.true(counters.length > 0);
  t.deepEqual(
    tableBelow(text, 'Counters').map(([name]) => unquoted(name)),
    counters,
  );
});

test('the source increments each counter', (t) => {
  const folder = join(root, 'packages/transport-core/src');
  const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/test(ing|\.ts)/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  for (const counter of counters) t.regex(source, new RegExp(`ount\\('${counter}',`), counter);
});

test('the table of events is that of the source', (t) => {
  const union =
    /export type ObserverEvent =([\s\S]*?);\n\n/.exec(
      read('packages/transport-core/src/observer.ts'),
    )?.[1] ?? '';
  const events = [...union.matchAll(/type: '(\w+)'/g)].map((match) => match[1]);
  t.true(events.length > 0);
  t.deepEqual(
    tableBelow(text, 'Events').map(([name]) => unquoted(name)),
    events,
  );
});
