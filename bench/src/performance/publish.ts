// Renews a part of docs/performance.md and of the files beside it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { formatDocument, formatPlots } from './document.ts';
import { formatRecord, NOTHING, type PerformanceRecord, renewed } from './record.ts';

/** Replaces the figures in `now` and keeps all others. */
export function publish(now: Partial<PerformanceRecord>, docs = DOCS): void {
  const beside = new URL('performance/', docs);
  const file = new URL('figures.json', beside);
  mkdirSync(beside, { recursive: true });
  const record = renewed(
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PerformanceRecord) : NOTHING,
    now,
  );
  writeFileSync(file, formatRecord(record));
  writeFileSync(new URL('performance.md', docs), formatDocument(record));
  for (const [name, svg] of formatPlots(record)) writeFileSync(new URL(name, beside), svg);
}

const DOCS = new URL('../../../docs/', import.meta.url);
