// The code that the nodes of one simulation have loaded, and what it left changed in built-in
// objects that all nodes and runs share.

import process from 'node:process';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { SimulationLeak } from '../nodes/leaks.ts';
import { acceptChanges, changes, putBack, watchGlobals } from './shared-builtins.ts';

const runs = new WeakMap<EventLoop, LoadedRun>();
/** The number of runs that have not ended. */
let open = 0;

/** The loaded code of one simulation. Its nodes share it. */
export class LoadedRun {
  /** Files that were evaluated, each with the name of the node that did so first. */
  readonly #files = new Map<string, string>();
  #firstNode: string | undefined;

  /** Returns the run of a simulation, which ends when the simulation closes. */
  static of(loop: EventLoop): LoadedRun {
    let run = runs.get(loop);
    if (run !== undefined) return run;
    watchGlobals();
    // The program itself may have changed built-in objects since the last run.
    if (open++ === 0) acceptChanges();
    runs.set(loop, (run = new LoadedRun()));
    loop.endings.push(() => {
      open--;
      return run!.#end();
    });
    return run;
  }

  /** Begins the evaluation of a file for a node. Returns a function to call at its end. */
  evaluate(file: string, node: string): () => void {
    if (!this.#files.has(file)) this.#files.set(file, node);
    this.#firstNode ??= node;
    // A file changes the same properties each time, so later evaluations need no comparison.
    if (compared.has(file)) return () => {};
    compared.add(file);
    blame(evaluating.at(-1));
    evaluating.push(file);
    return () => {
      blame(file);
      evaluating.splice(evaluating.lastIndexOf(file), 1);
    };
  }

  /** Puts all changes back, and reports them, one report for each file. */
  #end(): SimulationLeak[] {
    const byFile = new Map<string | undefined, string[]>();
    noted.clear();
    for (const change of changes()) {
      const file = culprits.get(change.name)?.find((each) => this.#files.has(each));
      const name = putBack(change) ? change.name : `${change.name} (which stays read-only)`;
      if (!byFile.has(file)) byFile.set(file, []);
      byFile.get(file)!.push(name);
    }
    return [...byFile].map(([file, names]) => this.#report(file, names));
  }

  #report(file: string | undefined, names: readonly string[]): SimulationLeak {
    const owner = this.#files.get(file!) ?? this.#firstNode!;
    const count = names.length;
    const shown =
      names.slice(0, MOST).join(', ') + (count > MOST ? ` and ${count - MOST} more` : '');
    const who = file ?? `code that ${owner} loaded`;
    const what = `${who} changed ${shown}, which all nodes and runs share: the end of the run put it back`;
    if (!warned.has(what)) process.emitWarning(what, 'SimulationWarning');
    warned.add(what);
    return { owner, kind: 'builtin', count, what };
  }
}

/** Notes the properties that have changed since the last call. */
function blame(file: string | undefined): void {
  for (const { name } of changes()) {
    if (noted.has(name)) continue;
    noted.add(name);
    if (file !== undefined) culprits.set(name, [...(culprits.get(name) ?? []), file]);
  }
}

/** Files that were evaluated before, in any run of this process. */
const compared = new Set<string>();
/** The files that are being evaluated, innermost last. */
const evaluating: string[] = [];
/** The properties that were already found changed since the last end of a run. */
const noted = new Set<string>();
/** The files whose evaluation changed a property, by its name. */
const culprits = new Map<string, string[]>();
/** The warnings that were printed. */
const warned = new Set<string>();
/** Most names of properties in a report. */
const MOST = 5;
