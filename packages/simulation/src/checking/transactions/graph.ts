// Strongly connected groups and short cycles in a graph of dependencies.

import { type Dependencies, type Dependency, KINDS } from './dependencies.ts';

/** A kind of cycle. */
export interface CycleKind {
  /** The kinds of dependencies, as bits, of which the cycle has at least one. */
  readonly first: number;
  /** The kinds of all others. */
  readonly rest: number;
  /** True if no two dependencies that follow each other may be rw. */
  readonly isApart?: boolean | undefined;
}

/**
 * A graph of dependencies. A place is a node together with a bit: it is set after an rw if such
 * dependencies must be apart, because no rw may follow then.
 */
export class Graph {
  private readonly nodes: number;
  /** The dependencies in order of the node from which they start. */
  private readonly edges: readonly Dependency[];
  private readonly start: Int32Array;

  constructor({ edges, nodes }: Dependencies) {
    this.nodes = nodes;
    this.start = new Int32Array(nodes + 1);
    for (const { from } of edges) this.start[from + 1]!++;
    for (let node = 0; node < nodes; node++) this.start[node + 1]! += this.start[node]!;
    const place = this.start.slice();
    const sorted = new Array<Dependency>(edges.length);
    for (const edge of edges) sorted[place[edge.from]!++] = edge;
    this.edges = sorted;
  }

  /**
   * Returns the part of the graph in which all cycles of this kind are; undefined if there are
   * none.
   */
  cyclic(kind: CycleKind): Graph | undefined {
    const { group, hasCycle } = this.groups(kind);
    if (!hasCycle) return undefined;
    const isWithin = (edge: Dependency) =>
      [0, 1].some((bit) => group[2 * edge.from + bit] === group[placeAfter(edge, bit, kind)]);
    return new Graph({ edges: this.edges.filter(isWithin), nodes: this.nodes });
  }

  /**
   * Returns the shortest cycle that a bounded search finds; undefined if there is none, or if the
   * search ends before it finds one. If `first` and `rest` are equal, it finds every cycle.
   */
  cycle(kind: CycleKind): readonly Dependency[] | undefined {
    const { group, hasCycle } = this.groups(kind);
    if (!hasCycle) return undefined;
    const search = new Search(this.nodes);
    let shortest: readonly Dependency[] | undefined;
    for (const first of this.edges) {
      if ((first.kind & kind.first) === 0 || search.work > WORK) continue;
      const from = 2 * first.from;
      const to = placeAfter(first, 0, kind);
      // A cycle stays within one group.
      if (group[from] !== group[to]) continue;
      const most = (shortest?.length ?? Number.POSITIVE_INFINITY) - 1;
      const rest = this.path(search, to, from, kind, most);
      if (rest !== undefined) shortest = [first, ...rest];
      if (shortest?.length === 2) break;
    }
    return shortest;
  }

  /** Breadth-first search for a path of fewer than `most` dependencies. */
  private path(
    search: Search,
    from: number,
    to: number,
    kind: CycleKind,
    most: number,
  ): readonly Dependency[] | undefined {
    const { cameBy, cameFrom, seen, queue } = search;
    const round = ++search.rounds;
    seen[from] = round;
    queue[0] = from;
    let end = 1;
    let depth = 0;
    let endOfDepth = 1;
    for (let at = 0; at < end; at++) {
      if (at === endOfDepth) {
        depth++;
        endOfDepth = end;
      }
      const place = queue[at]!;
      if (place === to) {
        const steps: Dependency[] = [];
        for (let back = to; back !== from; back = cameFrom[back]!)
          steps.push(this.edges[cameBy[back]!]!);
        return steps.reverse();
      }
      if (depth + 1 >= most) continue;
      const last = this.start[(place >> 1) + 1]!;
      for (let index = this.start[place >> 1]!; index < last; index++) {
        search.work++;
        const next = this.follow(index, place & 1, kind);
        if (next < 0 || seen[next] === round) continue;
        seen[next] = round;
        cameBy[next] = index;
        cameFrom[next] = place;
        queue[end++] = next;
      }
    }
    return undefined;
  }

  /** Returns the place to which a dependency leads, or -1 if it must not be followed. */
  private follow(index: number, bit: number, kind: CycleKind): number {
    const edge = this.edges[index]!;
    if ((edge.kind & (kind.rest | KINDS.gate)) === 0) return -1;
    if (kind.isApart && bit === 1 && (edge.kind & RW) !== 0) return -1;
    return placeAfter(edge, bit, kind);
  }

  /**
   * Returns the strongly connected group of each place, as a number (Tarjan, Depth-First Search and
   * Linear Graph Algorithms, SIAM J. Comput. 1(2), 1972), without recursion.
   */
  private groups({ first, rest, isApart }: CycleKind): { group: Int32Array; hasCycle: boolean } {
    const kind = { first, rest: first | rest, isApart };
    const places = 2 * this.nodes;
    const found = new Int32Array(places).fill(-1);
    const low = new Int32Array(places);
    const group = new Int32Array(places).fill(-1);
    const next = new Int32Array(places);
    const open: number[] = [];
    const path: number[] = [];
    let count = 0;
    let groups = 0;
    let hasCycle = false;
    const enter = (place: number) => {
      found[place] = low[place] = count++;
      next[place] = this.start[place >> 1]!;
      open.push(place);
      path.push(place);
    };
    for (let root = 0; root < places; root += 2) {
      if (found[root]! >= 0) continue;
      enter(root);
      while (path.length > 0) {
        const place = path.at(-1)!;
        if (next[place]! < this.start[(place >> 1) + 1]!) {
          const to = this.follow(next[place]!++, place & 1, kind);
          if (to < 0) continue;
          if (found[to]! < 0) enter(to);
          else if (group[to]! < 0) low[place] = Math.min(low[place]!, found[to]!);
          continue;
        }
        path.pop();
        const parent = path.at(-1);
        if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[place]!);
        if (low[place] !== found[place]) continue;
        if (open.at(-1) !== place) hasCycle = true;
        for (let member = open.pop()!; ; member = open.pop()!) {
          group[member] = groups;
          if (member === place) break;
        }
        groups++;
      }
    }
    return { group, hasCycle };
  }
}

/** The arrays that searches for paths use again. */
class Search {
  readonly cameBy: Int32Array;
  readonly cameFrom: Int32Array;
  readonly seen: Int32Array;
  readonly queue: Int32Array;
  rounds = 0;
  /** The number of dependencies followed so far. */
  work = 0;

  constructor(nodes: number) {
    this.cameBy = new Int32Array(2 * nodes);
    this.cameFrom = new Int32Array(2 * nodes);
    this.seen = new Int32Array(2 * nodes);
    this.queue = new Int32Array(2 * nodes);
  }
}

/** Returns the place behind a dependency. A gate belongs to the dependency that leads to it. */
function placeAfter({ to, kind }: Dependency, bit: number, { isApart }: CycleKind): number {
  if (!isApart) return 2 * to;
  if (kind === KINDS.gate) return 2 * to + bit;
  return 2 * to + ((kind & RW) === 0 ? 0 : 1);
}

const RW = KINDS.rw | KINDS.rwFracture | KINDS.rwInTime;
/** The number of dependencies that the search for the shortest cycle of a kind may follow. */
const WORK = 10_000_000;
