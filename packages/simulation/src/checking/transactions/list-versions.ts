// The versions of a list: the longest list that was read shows their order.

import {
  type Assumptions,
  intermediate,
  internal,
  type KeyUse,
  type Version,
  wrongValue,
} from './key-use.ts';
import { type Anomaly, anomalyOf, type TransactionCall } from './transaction.ts';

/** Returns the versions of a list, the initial one first, or the anomaly that a read shows. */
export function listVersions(
  calls: readonly TransactionCall[],
  use: KeyUse,
  { isRepeatable }: Assumptions,
): readonly Version[] | Anomaly {
  const { key, writers, reads } = use;
  let longest: readonly string[] = [];
  let longestReader = 0;
  /** For each length: the latest call among the writers of that many values. */
  const calledBy = [0];
  const lengths: number[] = [];
  for (const [index, { reader, result, own }] of reads.entries()) {
    const list = result as readonly string[];
    const foreign = list.length - own.length;
    if (own.some((value, place) => list[foreign + place] !== value))
      return internal(calls[reader]!, key, list);
    const before = reads[index - 1];
    if (isRepeatable && before?.reader === reader) {
      const earlier = before.result as readonly string[];
      if (lengths.at(-1) !== foreign || !agree(earlier, list, foreign))
        return internal(calls[reader]!, key, list);
    }
    const isPrefix = agree(longest, list, Math.min(longest.length, list.length));
    const known = isPrefix ? Math.min(longest.length, list.length) : 0;
    const wrong =
      calledBy[known]! > calls[reader]!.returned!
        ? wrongList(calls, use, reader, list, 0)
        : wrongList(calls, use, reader, list, known);
    if (wrong !== undefined) return wrong;
    if (!isPrefix)
      return anomalyOf(
        'incompatible order',
        `: two transactions read lists of ${key} of which neither begins with the other`,
        [calls[longestReader]!, calls[reader]!],
      );
    for (let length = longest.length; length < list.length; length++) {
      const { called } = calls[writers.get(list[length]!)!]!;
      calledBy.push(Math.max(calledBy[length]!, called));
    }
    if (list.length > longest.length) [longest, longestReader] = [list, reader];
    lengths.push(foreign);
  }
  const versions: Version[] = [undefined, ...longest].map((value) => ({
    value,
    writer: value === undefined ? undefined : writers.get(value),
    readers: [],
    next: [],
  }));
  for (const [index, { reader }] of reads.entries()) {
    const { readers } = versions[lengths[index]!]!;
    if (readers.at(-1) !== reader) readers.push(reader);
  }
  for (let index = 1; index < versions.length; index++)
    versions[index - 1]!.next.push({ version: versions[index]!, basis: 'reads' });
  // A committed append that no read has seen comes after all appends that were seen.
  const seen = new Set(longest);
  for (const [value, writer] of writers) {
    if (calls[writer]!.outcome !== 'ok' || seen.has(value)) continue;
    const version = { value, writer, readers: [], next: [] };
    versions[longest.length]!.next.push({ version, basis: 'reads' });
  }
  return versions;
}

/** Returns true if the first `length` values of the lists are equal. */
function agree(one: readonly string[], other: readonly string[], length: number): boolean {
  for (let i = 0; i < length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/** Finds an anomaly of a list whose first `known` values were judged before. */
function wrongList(
  calls: readonly TransactionCall[],
  use: KeyUse,
  reader: number,
  list: readonly string[],
  known: number,
): Anomaly | undefined {
  if (known < list.length) {
    const met = new Set<string>();
    for (const value of list) {
      if (met.has(value))
        return anomalyOf(
          'duplicate',
          `: ${value} is in the list of ${use.key} twice, though it was appended once`,
          [calls[reader]!],
        );
      met.add(value);
    }
  }
  for (let index = known; index < list.length; index++) {
    const wrong = wrongValue(calls, use, reader, list[index]!);
    if (wrong !== undefined) return wrong;
  }
  const last = list.at(-1);
  return last === undefined ? undefined : intermediate(calls, use, reader, last);
}
