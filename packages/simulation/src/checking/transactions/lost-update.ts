// The search for lost updates: two transactions that read one version of a key and overwrite it.

import type { KeyVersions } from './key-use.ts';
import { type Anomaly, anomalyOf, type TransactionCall } from './transaction.ts';

/**
 * Returns a lost update, or undefined if there is none. The versions must be those of
 * `isRepeatable`, which list each reader once.
 */
export function lostUpdate(
  calls: readonly TransactionCall[],
  keys: readonly KeyVersions[],
): Anomaly | undefined {
  for (const { key, versions } of keys) {
    for (const { value, readers } of versions) {
      const [one, other] = readers.filter((reader) =>
        calls[reader]!.command.some((step) => step.op !== 'read' && step.key === key),
      );
      if (other !== undefined)
        return anomalyOf(
          'lost update',
          `: two transactions read ${value ?? 'the initial state'} of ${key} and overwrite it`,
          [calls[one!]!, calls[other]!],
        );
    }
  }
  return undefined;
}
