// Checks that the cases use the same tables as docs/wire-protocol.md, "Which frame is legal when".

import { readFileSync } from 'node:fs';
import test from 'ava';
import { CALLEE_TABLE, CALLER_TABLE } from './state-cases.ts';

const text = readFileSync(new URL('../../../../../docs/wire-protocol.md', import.meta.url), 'utf8');

for (const [reader, { states, rows }] of Object.entries({
  callee: CALLEE_TABLE,
  caller: CALLER_TABLE,
})) {
  test(`the table of frames that the ${reader} reads is that of the document`, (t) => {
    const head = `| frame | ${states.join(' | ')} |\n`;
    const at = text.indexOf(head);
    t.true(at >= 0, `docs/wire-protocol.md has no table that begins with ${head}`);
    const [, ...lines] = text.slice(at + head.length).split('\n');
    const cells = lines.slice(0, lines.indexOf('')).map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    t.deepEqual(
      cells,
      Object.entries(rows).map(([frame, verdicts]) => [frame, ...verdicts]),
    );
  });
}
