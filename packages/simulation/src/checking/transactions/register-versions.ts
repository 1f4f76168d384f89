// The versions of a register. Their order is known only in part: it is inferred from transactions
// that read a version and write the next one, from reads of other keys, and from real time.

import {
  type Assumptions,
  type Basis,
  intermediate,
  internal,
  type KeyUse,
  lastWrite,
  type Version,
  wrongValue,
} from './key-use.ts';
import type { Anomaly, TransactionCall } from './transaction.ts';

/**
 * Returns the versions of a register, the initial one first, or the anomaly that a read shows. A
 * version comes before another one if
 *
 * - it is the initial version
 * - a transaction read it and wrote the other one
 * - real time shows it (`isStrict`): it certainly existed before the other one was last read, or
 *   written (Gibbons and Korach, Testing Shared Memories, SIAM J. Comput. 26(4), 1997)
 *
 * `fractures` adds a rule that needs the versions of all keys.
 */
export function registerVersions(
  calls: readonly TransactionCall[],
  use: KeyUse,
  { isRepeatable, isStrict }: Assumptions,
): readonly Version[] | Anomaly {
  const { key, writers, reads } = use;
  const initial: Version = { value: undefined, writer: undefined, readers: [], next: [] };
  const versions = new Map<string | null, Version>([[null, initial]]);
  for (const [value, writer] of writers) {
    if (calls[writer]!.outcome !== 'ok' || lastWrite(calls[writer]!, key) !== value) continue;
    versions.set(value, { value, writer, readers: [], next: [] });
  }
  for (const [index, { reader, result, own }] of reads.entries()) {
    const value = result as string | null;
    const call = calls[reader]!;
    if (own.length > 0) {
      if (own.at(-1) !== value) return internal(call, key, value);
      continue;
    }
    const before = reads[index - 1];
    if (before?.reader === reader && before.result === value) continue;
    if (before?.reader === reader && isRepeatable) return internal(call, key, value);
    if (value !== null) {
      const wrong =
        wrongValue(calls, use, reader, value) ?? intermediate(calls, use, reader, value);
      if (wrong !== undefined) return wrong;
    }
    let version = versions.get(value);
    if (version === undefined) {
      version = { value: value!, writer: writers.get(value!)!, readers: [], next: [] };
      versions.set(value, version);
    }
    version.readers.push(reader);
  }
  const followers = new Set<Version>();
  const follow = (one: Version, other: Version | undefined, basis: Basis) => {
    if (other === undefined || one === other) return;
    one.next.push({ version: other, basis });
    followers.add(other);
  };
  for (const version of versions.values()) {
    for (const reader of version.readers) {
      const written = lastWrite(calls[reader]!, key);
      if (written !== undefined) follow(version, versions.get(written), 'reads');
    }
  }
  const written = [...versions.values()].slice(1);
  if (isStrict)
    for (const [one, other] of inRealTime(calls, written)) follow(one, other, 'real time');
  for (const version of written) if (!followers.has(version)) follow(initial, version, 'reads');
  return [initial, ...written];
}

/**
 * Returns the pairs of versions of which the first certainly existed before the last moment at
 * which the second one was current, without those that follow from others.
 */
function inRealTime(
  calls: readonly TransactionCall[],
  versions: readonly Version[],
): readonly (readonly [Version, Version])[] {
  const events = versions.flatMap((version) => {
    const writer = calls[version.writer!]!;
    let done = writer.outcome === 'ok' ? writer.returned! : Number.POSITIVE_INFINITY;
    let alive = writer.called;
    for (const reader of version.readers) {
      done = Math.min(done, calls[reader]!.returned!);
      alive = Math.max(alive, calls[reader]!.called);
    }
    return [
      { at: done, version, isDone: true },
      { at: alive, version, isDone: false },
    ];
  });
  events.sort((a, b) => a.at - b.at);
  const pairs: [Version, Version][] = [];
  const before = new Map<Version, readonly Version[]>();
  let latest: readonly Version[] = [];
  for (const { version, isDone } of events) {
    if (!isDone) {
      for (const other of latest) if (other !== version) pairs.push([other, version]);
      before.set(version, latest);
    }
    const implied = before.get(version) ?? [];
    if (isDone || latest.includes(version))
      latest = [
        ...latest.filter((other) => other !== version && !implied.includes(other)),
        version,
      ];
  }
  return pairs;
}
