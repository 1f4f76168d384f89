// The order of versions that reads of several keys show.

import type { KeyVersions, Version } from './key-use.ts';
import type { TransactionCall } from './transaction.ts';

/**
 * Adds what transactions show that see one write of another transaction: if they read a different
 * version of a second key that the other one wrote too, that version is newer (the axiom "read
 * atomic" of Biswas and Enea, On the Complexity of Checking Transactional Consistency, OOPSLA
 * 2019). It holds at every level that forbids G-single. It extends `next` of the versions, from
 * which `dependenciesOf` derives the dependencies afterwards.
 */
export function fractures(calls: readonly TransactionCall[], keys: readonly KeyVersions[]): void {
  const lists = new Set(keys.filter(({ isList }) => isList).map(({ key }) => key));
  /** For each transaction: the versions that it wrote, and those that it read, by key. */
  const written = calls.map((): Map<string, Version> | undefined => undefined);
  const read = calls.map((): Map<string, Version> | undefined => undefined);
  for (const { key, versions } of keys) {
    for (const version of versions) {
      const { writer } = version;
      if (writer !== undefined) (written[writer] ??= new Map()).set(key, version);
      for (const reader of version.readers) (read[reader] ??= new Map()).set(key, version);
    }
  }
  for (const versions of read) {
    const writers = new Set([...(versions?.values() ?? [])].map(({ writer }) => writer));
    for (const writer of writers) {
      for (const [key, older] of written[writer ?? -1] ?? []) {
        const newer = versions!.get(key);
        if (
          lists.has(key) ||
          newer === undefined ||
          newer.writer === writer ||
          newer.writer === undefined
        )
          continue;
        const isKnown = older.next.some(({ version }) => version === newer);
        if (!isKnown) older.next.push({ version: newer, basis: 'fracture' });
      }
    }
  }
}
