// The picture of the whole mesh at one node, made of the reports of all nodes.

import type { LinkReport, Report } from './protocol.ts';

/** A node without a report for this long has gone, in milliseconds. */
const REPORT_TIME = 6_000;
/** Nodes in the picture; further nodes are left out. */
const MOST_NODES = 64;

/** The ids of two nodes, the smaller one first. */
export type Ends = readonly [string, string];

export interface MeshLink {
  readonly ends: Ends;
  /** The report of one end; undefined while the link is cut. */
  readonly report: LinkReport | undefined;
}

/** A change of the mesh, for people. */
export type MeshChange =
  | { readonly type: 'joined' | 'left'; readonly nodeId: string }
  | { readonly type: 'cut' | 'healed'; readonly ends: Ends };

export class MeshPicture {
  readonly #reports = new Map<string, Report & { readonly at: number }>();
  readonly #changed: (change: MeshChange) => void;

  constructor(changed: (change: MeshChange) => void) {
    this.#changed = changed;
  }

  /** The last report of each node. */
  get nodes(): ReadonlyMap<string, Report> {
    return this.#reports;
  }

  /** Takes the report of a node, unless a newer one has arrived. */
  report(nodeId: string, report: Report, now: number): void {
    const before = this.#reports.get(nodeId);
    if (before === undefined && this.#reports.size >= MOST_NODES) return;
    if (before !== undefined && report.number <= before.number) return;
    this.#reports.set(nodeId, { ...report, at: now });
    if (before === undefined) this.#changed({ type: 'joined', nodeId });
    const cuts = before?.cuts ?? [];
    for (const other of report.cuts)
      if (!cuts.includes(other)) this.#changed({ type: 'cut', ends: sorted(nodeId, other) });
    for (const { nodeId: other } of report.links)
      if (cuts.includes(other)) this.#changed({ type: 'healed', ends: sorted(nodeId, other) });
  }

  remove(nodeId: string): void {
    if (this.#reports.delete(nodeId)) this.#changed({ type: 'left', nodeId });
  }

  /** Removes the nodes that have not reported for 6 s. */
  expire(now: number): void {
    for (const [nodeId, { at }] of this.#reports) if (now - at > REPORT_TIME) this.remove(nodeId);
  }

  /** Returns the links that both ends report, and those that one end has cut. */
  links(): MeshLink[] {
    const links = new Map<string, MeshLink>();
    const add = (ends: Ends, report?: LinkReport) => links.set(ends.join(), { ends, report });
    for (const [nodeId, { links: own, cuts }] of this.#reports) {
      for (const link of own) {
        const back = this.#reports.get(link.nodeId)?.links.some((other) => other.nodeId === nodeId);
        if (back) add(sorted(nodeId, link.nodeId), link);
      }
      for (const other of cuts) if (this.#reports.has(other)) add(sorted(nodeId, other));
    }
    return [...links.values()];
  }
}

function sorted(one: string, other: string): Ends {
  return one < other ? [one, other] : [other, one];
}
