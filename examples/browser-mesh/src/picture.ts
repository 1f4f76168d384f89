// The picture of the whole mesh at one node, made of the reports of all nodes.

import type { Kind, LinkReport, Path, Report } from './protocol.ts';

/** A node without a report for this long has gone, in milliseconds. */
const REPORT_TIME = 6_000;
/** A link that is not back after this long is forgotten. Its ends report it for half of that. */
const CUT_TIME = 60_000;
/** Nodes in the picture; further nodes are left out. */
const MOST_NODES = 64;
/** Cut links in the picture; further ones are left out. */
const MOST_CUTS = 64;

export type Ends = readonly [string, string];

export interface MeshNode {
  readonly nodeId: string;
  readonly kind: Kind;
  readonly hue: number;
  readonly strokes: number;
}

export interface MeshLink {
  readonly key: string;
  readonly ends: Ends;
  /** Undefined if the link was cut. */
  readonly path: Path | undefined;
  /** The round-trip time in milliseconds, once it was measured. */
  readonly rtt: number | undefined;
  /** Whether messages of the topic travel over the link. */
  readonly isNeighbor: boolean;
  /** Whether the link was cut and is not back yet. */
  readonly isCut: boolean;
}

/** A change of the mesh, for people. */
export type MeshChange =
  | { readonly type: 'joined' | 'left'; readonly nodeId: string }
  | { readonly type: 'cut'; readonly ends: Ends }
  /** The link is back, `after` so many milliseconds. */
  | { readonly type: 'healed'; readonly ends: Ends; readonly after: number };

interface Known {
  readonly number: number;
  readonly kind: Kind;
  readonly hue: number;
  readonly strokes: number;
  readonly links: ReadonlyMap<string, LinkReport>;
  readonly cuts: readonly string[];
  readonly at: number;
}

interface Cut {
  readonly ends: Ends;
  /** When this node learned of it. */
  readonly at: number;
}

export class MeshPicture {
  readonly #nodes = new Map<string, Known>();
  readonly #cuts = new Map<string, Cut>();
  readonly #changed: (change: MeshChange) => void;

  constructor(changed: (change: MeshChange) => void) {
    this.#changed = changed;
  }

  /** Takes the report of a node, unless a newer one has arrived. */
  report(nodeId: string, { links, ...report }: Report, now: number): void {
    const known = this.#nodes.get(nodeId);
    if (known === undefined ? this.#nodes.size >= MOST_NODES : report.number <= known.number)
      return;
    const byId = new Map(links.map((link) => [link.nodeId, link]));
    this.#nodes.set(nodeId, { ...report, links: byId, at: now });
    if (known === undefined) this.#changed({ type: 'joined', nodeId });
    for (const other of report.cuts) this.#cut(sorted(nodeId, other), now);
    for (const [key, { ends, at }] of this.#cuts) {
      if (this.#linkOf(ends) === undefined) continue;
      this.#cuts.delete(key);
      this.#changed({ type: 'healed', ends, after: now - at });
    }
  }

  remove(nodeId: string): void {
    if (!this.#nodes.delete(nodeId)) return;
    for (const [key, { ends }] of this.#cuts) if (ends.includes(nodeId)) this.#cuts.delete(key);
    this.#changed({ type: 'left', nodeId });
  }

  /** Removes the nodes that have not reported for 6 s, and old cuts. */
  expire(now: number): void {
    for (const [nodeId, { at }] of this.#nodes) if (now - at > REPORT_TIME) this.remove(nodeId);
    for (const [key, { at }] of this.#cuts) if (now - at > CUT_TIME) this.#cuts.delete(key);
  }

  nodes(): MeshNode[] {
    return [...this.#nodes].map(([nodeId, { kind, hue, strokes }]) => ({
      nodeId,
      kind,
      hue,
      strokes,
    }));
  }

  /** Returns the color of a node. Undefined if it is not in the picture. */
  hueOf(nodeId: string): number | undefined {
    return this.#nodes.get(nodeId)?.hue;
  }

  /** Returns the links that both ends report, and those that were cut. */
  links(): MeshLink[] {
    const links: MeshLink[] = [];
    for (const [nodeId, known] of this.#nodes) {
      for (const other of known.links.keys()) {
        const link = nodeId < other ? this.#linkOf([nodeId, other]) : undefined;
        if (link !== undefined) links.push(link);
      }
    }
    for (const [key, { ends }] of this.#cuts)
      links.push({ key, ends, path: undefined, rtt: undefined, isNeighbor: false, isCut: true });
    return links;
  }

  /** Shows a link as cut until both ends report it again. */
  #cut(ends: Ends, now: number): void {
    const key = keyOf(ends);
    if (this.#cuts.has(key) || this.#cuts.size >= MOST_CUTS) return;
    if (!this.#nodes.has(ends[0]) || !this.#nodes.has(ends[1])) return;
    this.#cuts.set(key, { ends, at: now });
    this.#changed({ type: 'cut', ends });
  }

  #linkOf(ends: Ends): MeshLink | undefined {
    const [one, other] = ends;
    const there = this.#nodes.get(one)?.links.get(other);
    const back = this.#nodes.get(other)?.links.get(one);
    if (there === undefined || back === undefined) return undefined;
    const times = [there.rtt, back.rtt].filter((rtt) => rtt !== undefined);
    return {
      key: keyOf(ends),
      ends,
      path: there.path,
      rtt: times.length === 0 ? undefined : Math.min(...times),
      isNeighbor: there.isNeighbor || back.isNeighbor,
      isCut: false,
    };
  }
}

function sorted(one: string, other: string): Ends {
  return one < other ? [one, other] : [other, one];
}

/** Returns a short name of a link, the same from both ends. */
function keyOf([one, other]: Ends): string {
  return `${one.slice(0, 16)}-${other.slice(0, 16)}`;
}
