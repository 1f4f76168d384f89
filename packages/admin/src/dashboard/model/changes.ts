// The differences between two moments, one line for each value.

import { createPatch, type JsonObject } from '../../state/merge-patch.ts';
import type { NetworkState } from '../network-state.ts';

/** A value that differs. */
export interface Change {
  /** The names of the members that lead to the value. */
  readonly path: readonly string[];
  /** The values as JSON; undefined if there is none. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** The difference of two numbers. */
  readonly difference: number | undefined;
}

/** The differences between two moments, and the number of differences that were left out. */
export interface Changes {
  readonly changes: readonly Change[];
  readonly omitted: number;
}

/**
 * Returns the differences between two moments.
 * @param node the name of a node; undefined for all
 * @param most the maximum number of lines
 */
export function changesBetween(
  before: NetworkState,
  after: NetworkState,
  node: string | undefined,
  most = 500,
): Changes {
  const pick = ({ nodes }: NetworkState): JsonObject =>
    (node === undefined ? nodes : { [node]: nodes[node] ?? {} }) as unknown as JsonObject;
  const [from, to] = [pick(before), pick(after)];
  const changes: Change[] = [];
  let omitted = 0;
  const visit = (patch: unknown, a: unknown, b: unknown, path: readonly string[]): void => {
    if (isObject(patch) && isObject(a) && isObject(b)) {
      for (const [key, inner] of Object.entries(patch))
        visit(inner, a[key], b[key], [...path, key]);
      return;
    }
    // The time of a state always differs.
    if (path.length === 3 && path[1] === 'state' && path[2] === 'at') return;
    if (changes.length >= most) {
      omitted++;
      return;
    }
    const difference = typeof a === 'number' && typeof b === 'number' ? b - a : undefined;
    changes.push({ path, before: shown(a), after: shown(b), difference });
  };
  visit(createPatch(from, to) ?? {}, from, to, []);
  return { changes, omitted };
}

/** Returns a value as JSON of at most 200 characters. */
function shown(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value) ?? '';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

const LONGEST = 200;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
