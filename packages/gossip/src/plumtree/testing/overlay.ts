// Random overlays with symmetric links, like those that HyParView makes.

import type { Random } from '@trunkline/transport-core';

/** Pairs of linked nodes, each pair once. */
export type Links = readonly (readonly [number, number])[];

/**
 * Returns a connected random graph in which nearly every node has `degree` links. Link ends are
 * paired at random; pairs that would form a loop or a duplicate are drawn again. If the graph has
 * several parts, extra links connect them in a chain.
 */
export function regularOverlay(nodes: number, degree: number, random: Random): Links {
  const links = new Map<string, readonly [number, number]>();
  const degrees = new Array<number>(nodes).fill(0);
  const add = (a: number, b: number): boolean => {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (a === b || links.has(key)) return false;
    links.set(key, [a, b]);
    degrees[a]!++;
    degrees[b]!++;
    return true;
  };
  let stubs = Array.from({ length: nodes * degree }, (_, i) => i % nodes);
  for (let round = 0; round < 20 && stubs.length > 1; round++) {
    shuffle(stubs, random);
    const left: number[] = [];
    for (let i = 0; i + 1 < stubs.length; i += 2)
      if (!add(stubs[i]!, stubs[i + 1]!)) left.push(stubs[i]!, stubs[i + 1]!);
    if (stubs.length % 2 === 1) left.push(stubs.at(-1)!);
    stubs = left;
  }
  const parts = partsOf(nodes, [...links.values()]);
  for (let i = 1; i < parts.length; i++) add(parts[i - 1]![0]!, parts[i]![0]!);
  return [...links.values()];
}

/** Returns the connected parts, each as a list of its nodes. */
export function partsOf(nodes: number, links: Links): number[][] {
  const near = Array.from({ length: nodes }, (): number[] => []);
  for (const [a, b] of links) {
    near[a]!.push(b);
    near[b]!.push(a);
  }
  const seen = new Uint8Array(nodes);
  const parts: number[][] = [];
  for (let start = 0; start < nodes; start++) {
    if (seen[start] === 1) continue;
    const part = [start];
    seen[start] = 1;
    for (const node of part) {
      for (const other of near[node]!) {
        if (seen[other] === 1) continue;
        seen[other] = 1;
        part.push(other);
      }
    }
    parts.push(part);
  }
  return parts;
}

/** Shuffles a list in place, and returns it. */
export function shuffle<T>(list: T[], random: Random): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
