// Renews the part of a benchmark in docs/performance/figures.json, and docs/performance.md, which
// is written from it.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, type } from 'node:os';
import type { Plan } from '../benchmark.ts';
import { cores } from '../cores.ts';
import { grouped } from '../grouped.ts';
import { formatDocument } from './document.ts';
import type { Machine, Part, PerformanceRecord } from './record.ts';

/** Returns the tables of a run. A bar belongs to the table whose name it begins with. */
export function partsOf(
  { titleOf, figuresOf }: Plan,
  { rows, verdicts, settings }: Pick<Part, 'rows' | 'verdicts' | 'settings'>,
): Record<string, Part> {
  const machine = thisMachine();
  return Object.fromEntries(
    [...grouped(rows, ({ group }) => group)].map(([group, own]) => [
      group,
      {
        machine,
        settings,
        title: titleOf?.(group) ?? group,
        figures: figuresOf(group),
        rows: own,
        verdicts: verdicts.filter(({ bar }) => group === '' || bar.startsWith(`${group} `)),
      },
    ]),
  );
}

/** Replaces the tables in `now` and keeps all others. */
export function publish(now: PerformanceRecord, docs = DOCS): void {
  const file = new URL('performance/figures.json', docs);
  const record = renewed(JSON.parse(readFileSync(file, 'utf8')), now);
  writeFileSync(file, formatRecord(record));
  writeFileSync(new URL('performance.md', docs), formatDocument(record));
}

export function renewed(before: PerformanceRecord, now: PerformanceRecord): PerformanceRecord {
  const parts = Object.entries(now).map(([name, own]) => [name, { ...before[name], ...own }]);
  return { ...before, ...Object.fromEntries(parts) };
}

/** Formats the record for the file. Measured figures keep four digits, more than noise leaves. */
export function formatRecord(record: PerformanceRecord): string {
  const text = JSON.stringify(
    record,
    (_, value) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
    1,
  );
  return `${text}\n`;
}

function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores: cores.length || availableParallelism(),
    kernel: `${type()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''}`.trim(),
    node: process.versions.node,
  };
}

const DOCS = new URL('../../../docs/', import.meta.url);
