// Computes the difference between two lists of peers.

import { parseTarget, type TargetAddress } from '@trunkline/transport-core/backend';

/** The targets that were removed, added, moved and kept, as they were written. */
export interface TopologyDiff {
  /** Targets to disconnect, including moved targets with their old addresses. */
  readonly removed: string[];
  /** Targets to dial, including moved targets with their new addresses (as in Orbs). */
  readonly added: string[];
  /** Targets whose node id has another address now. */
  readonly changed: { readonly from: string; readonly to: string }[];
  /** Targets in both lists, as the first list wrote them. */
  readonly kept: string[];
}

/**
 * Compares two lists of '[nodeId@]address': two targets are the same if their node ids are equal
 * or, without an id, if their canonical addresses are equal. If a target is listed twice, the last
 * one counts. Throws the `invalid_argument` of `parseTarget` for a malformed target.
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
  for (const [identity, { text, key }] of now)
    if (old.get(identity)?.key !== key) diff.added.push(text);
  return diff;
}

/** Returns the key by which a target is recognized in two lists. */
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
