// The versions of a key, its writes and reads, and the anomalies that a single read shows.

import { type Anomaly, anomalyOf, type TransactionCall } from './transaction.ts';

/** A version of a key, with the positions of its transactions in the history. */
export interface Version {
  /** The value that created it; undefined for the initial version. */
  readonly value: string | undefined;
  /** The transaction that wrote it; undefined for the initial version. */
  readonly writer: number | undefined;
  /** The committed transactions that read it; each once if reads are repeatable. */
  readonly readers: number[];
  /** Versions that come later, such that every later version is reached through them. */
  readonly next: { readonly version: Version; readonly basis: Basis }[];
}

/**
 * What shows the order of two versions: reads of the key, a read of another key (see
 * `fractures.ts`), or real time.
 */
export type Basis = 'reads' | 'fracture' | 'real time';

/** The versions of a key. */
export interface KeyVersions {
  readonly key: string;
  /** True if the order of all versions that were read is known. */
  readonly isList: boolean;
  readonly versions: readonly Version[];
}

/** The writes of one key, by value. */
export type Writers = ReadonlyMap<string, number>;

/** A read of a committed transaction. */
export interface Read {
  readonly reader: number;
  readonly result: readonly string[] | string | null;
  /** The values that the transaction itself had written to the key before. */
  readonly own: readonly string[];
}

/** The writes and reads of one key. */
export interface KeyUse {
  readonly key: string;
  readonly writers: Map<string, number>;
  readonly reads: Read[];
  /** True for a list, false for a register; undefined while it is not known. */
  isList: boolean | undefined;
}

/** The assumptions that the rules for the order of versions may make. */
export interface Assumptions {
  /** All reads of a key by one transaction see the same version. */
  readonly isRepeatable: boolean;
  /** The order of versions respects real time. */
  readonly isStrict: boolean;
}

/** Returns the anomaly of a read that contradicts the transaction's own earlier steps. */
export function internal(call: TransactionCall, key: string, result: Read['result']): Anomaly {
  const read = typeof result === 'object' && result !== null ? `[${result.join(' ')}]` : result;
  return anomalyOf(
    'internal',
    `: a transaction reads ${read ?? 'nothing'} of ${key}, which contradicts its own earlier steps`,
    [call],
  );
}

/** Finds a read of a value that no transaction had written, or that a failed one wrote. */
export function wrongValue(
  calls: readonly TransactionCall[],
  { key, writers, isList }: KeyUse,
  reader: number,
  value: string,
): Anomaly | undefined {
  const call = calls[reader]!;
  const writer = calls[writers.get(value) ?? -1];
  const where = isList ? `in the list of ${key}` : `read from ${key}`;
  const wrote = isList ? 'appended' : 'written';
  if (writer === undefined || writer.called > call.returned!)
    return anomalyOf('garbage', `: ${value} is ${where}, though nothing had ${wrote} it`, [call]);
  if (writer.outcome === 'failed')
    return anomalyOf(
      'G1a',
      `, aborted read: ${value} is ${where}, though the transaction that ${isList ? 'appended' : 'wrote'} it failed`,
      [writer, call],
    );
  return undefined;
}

/**
 * Finds a read of a value that is not the last one that its transaction wrote to the key.
 * `wrongValue` must have accepted the value before, so that it has a writer.
 */
export function intermediate(
  calls: readonly TransactionCall[],
  { key, writers, isList }: KeyUse,
  reader: number,
  value: string,
): Anomaly | undefined {
  const writer = calls[writers.get(value)!]!;
  if (writer === calls[reader] || lastWrite(writer, key) === value) return undefined;
  const reason = isList
    ? `the list of ${key} ends with ${value}, which is not the last value that its transaction appended`
    : `${key} shows ${value}, which is not the last value that its transaction wrote`;
  return anomalyOf('G1b', `, intermediate read: ${reason}`, [writer, calls[reader]!]);
}

/** Returns the last value that a transaction writes to a key. */
export function lastWrite(call: TransactionCall, key: string): string | undefined {
  const step = call.command.findLast((step) => step.op !== 'read' && step.key === key);
  return step?.op === 'read' ? undefined : step?.value;
}
