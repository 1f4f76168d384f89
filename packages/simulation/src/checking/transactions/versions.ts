// The versions of each key: who wrote and read them, and which of them follow each other.

import type { Assumptions, KeyUse, KeyVersions } from './key-use.ts';
import { listVersions } from './list-versions.ts';
import { registerVersions } from './register-versions.ts';
import type { Anomaly, TransactionCall } from './transaction.ts';

/**
 * Finds the versions of all keys and their order.
 *
 * @throws TypeError if a value was written to one key twice, or a key is a list and a register.
 * @returns an anomaly if reads contradict each other, or show values that no transaction may see.
 */
export function versionsOf(
  calls: readonly TransactionCall[],
  assumptions: Assumptions,
): readonly KeyVersions[] | Anomaly {
  const found: KeyVersions[] = [];
  for (const use of usesOf(calls)) {
    const versions = use.isList
      ? listVersions(calls, use, assumptions)
      : registerVersions(calls, use, assumptions);
    if ('anomaly' in versions) return versions;
    found.push({ key: use.key, isList: use.isList === true, versions });
  }
  return found;
}

function usesOf(calls: readonly TransactionCall[]): Iterable<KeyUse> {
  const uses = new Map<string, KeyUse>();
  const useOf = (key: string, isList: boolean | undefined) => {
    let use = uses.get(key);
    if (use === undefined) {
      use = { key, writers: new Map(), reads: [], isList };
      uses.set(key, use);
    }
    use.isList ??= isList;
    if (isList !== undefined && isList !== use.isList)
      throw new TypeError(
        `check.transactions: ${key} is used as a list and as a register: append to it and read lists, or write it and read values`,
      );
    return use;
  };
  for (const [number, call] of calls.entries()) {
    const own = new Map<string, string[]>();
    for (const [index, step] of call.command.entries()) {
      const { key } = step;
      if (step.op === 'read') {
        const result = call.outcome === 'ok' ? call.result?.[index] : undefined;
        if (result === undefined) continue;
        const isList = result !== null && typeof result !== 'string';
        useOf(key, isList).reads.push({
          reader: number,
          result,
          own: own.get(key)?.slice() ?? NONE,
        });
        continue;
      }
      const { writers } = useOf(key, step.op === 'append');
      const other = writers.get(step.value);
      if (other !== undefined)
        throw new TypeError(
          `check.transactions: ${step.value} was ${step.op === 'append' ? 'appended' : 'written'} to ${key} twice, by ${calls[other]!.client} and by ${call.client}: ${step.op} each value once`,
        );
      writers.set(step.value, number);
      const written = own.get(key);
      if (written === undefined) own.set(key, [step.value]);
      else written.push(step.value);
    }
  }
  return uses.values();
}

const NONE: readonly string[] = [];
