// What changed between two lists of peers.

import { parseTarget, type TargetAddress } from '@trunkline/transport-core';

/** The targets, as they were written, that went, came, moved and stayed. */
export interface TopologyDiff {
  /** To disconnect. What moved is here too, by its old address. */
  readonly removed: string[];
  /** To dial. What moved is here too, by its new address (as Orbs has it). */
  readonly added: string[];
  /** The same node id at another address. */
  readonly changed: { readonly from: string; readonly to: string }[];
  /** As the list before had them. */
  readonly kept: string[];
}

/**
 * Compares two lists of '[nodeId@]address': by node id where there is one, else by canonical address. Of targets that are the same
 * in one list the last counts. Throws parseTarget's `invalid_argument` for what is no target.
 */
export function diffTopology(before: readonly string[], after: readonly string[]): TopologyDiff {
  const [old, now] = [index(before), index(after)];
  const diff: TopologyDiff = { removed: [], added: [], changed: [], kept: [] };
  for (const [identity, { text: from, key }] of old) {
    const to = now.get(identity);
    if (to?.key === key) {
      diff.kept.push(from);
      continue;
    }
    diff.removed.push(from);
    if (to !== undefined) diff.changed.push({ from, to: to.text });
  }
  for (const [identity, { text, key }] of now) if (old.get(identity)?.key !== key) diff.added.push(text);
  return diff;
}

/** What makes a target the same in two lists. */
export function identityOf({ nodeId, key }: TargetAddress): string {
  return nodeId ?? key;
}

function index(targets: readonly string[]): Map<string, { text: string; key: string }> {
  const byIdentity = new Map<string, { text: string; key: string }>();
  for (const text of targets) {
    const target = parseTarget(text);
    byIdentity.set(identityOf(target), { text: text.trim(), key: target.key });
  }
  return byIdentity;
}
