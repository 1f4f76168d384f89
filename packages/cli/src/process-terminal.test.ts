// Tests of the terminal of a process.

import process from 'node:process';
import test from 'ava';
import { processTerminal, sizeOf } from './process-terminal.ts';

test('a terminal whose size is not known counts as 80 × 24', (t) => {
  t.deepEqual(sizeOf({ columns: 120, rows: 50 }), { columns: 120, rows: 50 });
  t.deepEqual(sizeOf({ columns: 0, rows: 0 }), { columns: 80, rows: 24 });
  t.deepEqual(sizeOf({}), { columns: 80, rows: 24 });
});

test.serial('an interrupted command can still restore the screen', async (t) => {
  const { write } = process.stdout;
  t.teardown(() => Object.assign(process.stdout, { write }));
  const written: string[] = [];
  const record = (text: string, done: () => void) => {
    written.push(text);
    done();
  };
  Object.assign(process.stdout, { write: record });
  const terminal = processTerminal();
  process.emit('SIGINT');
  t.true(terminal.interrupted.aborted);
  await terminal.out('text');
  t.deepEqual(written, ['text']);
});
