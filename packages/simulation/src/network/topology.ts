// The paths between all nodes. It owns the cuts, holds, partitions and changed settings that the
// fault injector sets, and updates the paths that they affect.

import { childRandom } from '../kernel/distributions.ts';
import { type LinkOptions, type LinkSettings, linkSettings } from './link-settings.ts';
import { Path, type Uplink } from './path.ts';

/** Both directions, or only the direction from the first node to the second. */
export type Direction = 'both' | 'one-way';

/** All paths of a simulation and their faults. */
export class Topology {
  readonly #seed: number;
  readonly #base: LinkSettings;
  readonly #paths = new Map<string, Map<string, Path>>();
  readonly #uplinks = new Map<string, Uplink>();
  readonly #cuts = new Set<string>();
  readonly #holds = new Set<string>();
  readonly #changes = new Map<string, LinkSettings>();
  /** The groups of the current partition. Partitions affect nodes, by name, but not clients. */
  #groups: readonly ReadonlySet<string>[] | undefined;
  readonly #isNode: (name: string) => boolean;

  constructor(seed: number, base: LinkSettings, isNode: (name: string) => boolean) {
    this.#seed = seed;
    this.#base = base;
    this.#isNode = isNode;
  }

  path(from: string, to: string): Path {
    let row = this.#paths.get(from);
    if (row === undefined) this.#paths.set(from, (row = new Map()));
    let path = row.get(to);
    if (path === undefined) {
      path = new Path(
        from,
        to,
        childRandom(this.#seed, 'link', from, to),
        this.#base,
        this.#uplink(from),
      );
      this.#judge(path);
      row.set(to, path);
    }
    return path;
  }

  /**
   * Splits the nodes: two nodes reach each other only if some group contains both. A node in no
   * group is isolated.
   */
  partition(groups: readonly (readonly string[])[]): void {
    this.#groups = groups.map((group) => new Set(group));
    this.#judgeAll();
  }

  cut(a: string, b: string, direction: Direction): void {
    for (const key of keys(a, b, direction)) this.#cuts.add(key);
    this.#judgeAll();
  }

  /** Holds back everything sent and everything in flight, until `release`. */
  hold(a: string, b: string, direction: Direction): void {
    for (const key of keys(a, b, direction)) this.#holds.add(key);
    this.#judgeAll();
  }

  release(a: string, b: string, direction: Direction): void {
    for (const key of keys(a, b, direction)) this.#holds.delete(key);
    this.#judgeAll();
  }

  change(a: string, b: string, options: LinkOptions, direction: Direction): void {
    const settings = linkSettings(this.#base, options, 'link');
    for (const key of keys(a, b, direction)) this.#changes.set(key, settings);
    this.#judgeAll();
  }

  /** Opens every path and restores its settings. */
  heal(): void {
    this.#groups = undefined;
    this.#cuts.clear();
    this.#holds.clear();
    this.#changes.clear();
    this.#judgeAll();
  }

  /** True if there is no partition, cut, hold or changed link. */
  get whole(): boolean {
    return (
      this.#groups === undefined &&
      this.#cuts.size === 0 &&
      this.#holds.size === 0 &&
      this.#changes.size === 0
    );
  }

  #uplink(from: string): Uplink {
    let uplink = this.#uplinks.get(from);
    if (uplink === undefined) this.#uplinks.set(from, (uplink = { freeAt: 0 }));
    return uplink;
  }

  #judgeAll(): void {
    for (const row of this.#paths.values()) for (const path of row.values()) this.#judge(path);
  }

  #judge(path: Path): void {
    const { from, to, closed } = path;
    const key = `${from}\n${to}`;
    path.settings = this.#changes.get(key) ?? this.#base;
    path.cut = this.#cuts.has(key) || this.#separated(from, to);
    path.held = this.#holds.has(key);
    if (closed && !path.closed) path.opened();
  }

  #separated(from: string, to: string): boolean {
    if (this.#groups === undefined || from === to || !this.#isNode(from) || !this.#isNode(to))
      return false;
    return !this.#groups.some((group) => group.has(from) && group.has(to));
  }
}

function keys(a: string, b: string, direction: Direction): string[] {
  return direction === 'one-way' ? [`${a}\n${b}`] : [`${a}\n${b}`, `${b}\n${a}`];
}
