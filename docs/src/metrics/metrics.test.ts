// Checks that the page about metrics names each metric, with its type and unit.

import { createMetrics } from '@trunkline/metrics';
import test from 'ava';
import { tableBelow } from '../markdown.ts';
import { read } from '../texts.ts';

test('docs/metrics-reference.md lists the metrics that are collected', (t) => {
  const listed = tableBelow(read('docs/metrics-reference.md'), 'The metrics').map((row) =>
    row.slice(0, 3),
  );
  const collected = createMetrics().definitions.map(({ name, type, unit }) => [
    `\`${name}\``,
    type,
    `\`${unit}\``,
  ]);
  t.deepEqual(listed, collected);
});
