// Checks that the page about metrics names each metric, with its kind and its unit of time or size.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createMetrics } from '@trunkline/telemetry';
import test from 'ava';
import { parse } from 'yaml';
import { tableBelow } from '../markdown.ts';
import { read, root } from '../texts.ts';

test('docs/metrics-reference.md lists the metrics that are collected', (t) => {
  const listed = tableBelow(read('docs/metrics-reference.md'), 'The metrics').map((row) =>
    row.slice(0, 2),
  );
  const collected = createMetrics().definitions.map(({ name, type, unit }) => [
    `\`${name}\``,
    unit === 's' || unit === 'By' ? `${type} (\`${unit}\`)` : type,
  ]);
  t.deepEqual(listed, collected);
});

test('the configuration of Prometheus in docs/observing.md names rules that the package contains', (t) => {
  const { rule_files: rules, scrape_configs: jobs } = parse(
    read('docs/src/metrics/prometheus.yaml'),
  ) as {
    rule_files: string[];
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  t.is(rules.length, 1);
  const file = rules[0]!.replace('node_modules/@trunkline/', 'packages/');
  t.true(existsSync(join(root, file)), file);
  t.true(
    (JSON.parse(read('packages/telemetry/package.json')) as { files: string[] }).files.includes(
      'alerts.yml',
    ),
  );
  t.deepEqual(jobs[0]!.static_configs[0]!.targets, ['127.0.0.1:9464']);
});
