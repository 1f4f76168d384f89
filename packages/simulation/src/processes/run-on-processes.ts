// Runs the scenario of a simulation on processes of this machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock, TransportError } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import type { Fault, ScheduledFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
import type { Simulation } from '../simulation.ts';

/** Options of {@link runOnProcesses}. */
export interface ProcessRunOptions {
  /**
   * The URL of the module with the scenario, as for `explore` with workers: its default export gets
   * the simulation. It may also export `nemesis`. Each process imports it. The scenario must
   * declare all nodes before its first `run`, `until` or `settle`.
   */
  readonly scenario: URL | string;
  /** The URL of a module that creates the connections; see ProcessNetwork. Default: plain TCP. */
  readonly network?: URL | string | undefined;
  /** The faults. Default: the module's `nemesis`, if it has one. */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
  /** An integer that determines the plan of the nemesis. Default 1. */
  readonly seed?: number | undefined;
  /** Called with each fault, and each start, state and log line of a node, as text. */
  readonly onEvent?: ((line: string) => void) | undefined;
}

/** The result of a run that passed. */
export interface ProcessRun {
  /** Duration of the run in real milliseconds, including the start and the end of the processes. */
  readonly elapsed: number;
  /** The faults that were planned. */
  readonly faults: readonly ScheduledFault[];
  /**
   * The number of faults of each kind that were left out because they can't be applied to
   * processes.
   */
  readonly skipped: Readonly<Partial<Record<Fault['do'], number>>>;
  /** The most recent events, one line each; at most 200. */
  readonly timeline: readonly string[];
}

const OPTIONS = ['scenario', 'network', 'nemesis', 'seed', 'onEvent'] as const;

/**
 * Runs a scenario on real processes: each node is a child process with a store of files, and its
 * calls pass through real sockets and a proxy for each link. A crash kills the process, a pause
 * stops it with SIGSTOP, and partitions, cuts and holds act in the proxies. Time is real. Rejects
 * with the error with which the scenario rejects, or with an uncaught error of a node. In that
 * case, the folder with the stores is kept, and the message of an Error contains its path.
 *
 * @throws TypeError if an option is invalid or a module lacks an export; the error with which a
 *   module does not load or `prepare` of the network fails; TransportError `failed_precondition`
 *   if an optional package isn't installed, with the command that installs it.
 */
export async function runOnProcesses(options: ProcessRunOptions): Promise<ProcessRun> {
  refuseUnknown(options, 'runOnProcesses', OPTIONS);
  const { seed = 1, onEvent, ...given } = options;
  const scenario = urlOf('scenario', given.scenario)!;
  const networkUrl = urlOf('network', given.network);
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`runOnProcesses: seed: must be an integer, got ${String(seed)}`);
  const { importNetwork, ProcessSimulation } = await loadParts();
  const module = (await import(scenario)) as {
    readonly default?: (sim: Simulation) => Promise<void>;
    readonly nemesis?: Nemesis;
  };
  if (typeof module.default !== 'function')
    throw new TypeError(`runOnProcesses: scenario: ${scenario} must export a function as default`);
  const network = await importNetwork(networkUrl);
  const prepared = JSON.parse(JSON.stringify((await network.prepare?.()) ?? null));
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-processes-'));
  const began = systemClock.now();
  const nemesis = given.nemesis ?? module.nemesis;
  const settings = { seed, scenario, networkUrl, network, prepared, nemesis, folder, onEvent };
  const sim = new ProcessSimulation(settings);
  const kill = () => sim.kill();
  process.once('exit', kill);
  try {
    await module.default(sim as unknown as Simulation);
    // The scenario itself gets this error only in a further `run`, `until` or `settle`.
    if (sim.failure !== undefined) throw sim.failure;
  } catch (error) {
    if (error instanceof Error) error.message += `\nthe stores of the nodes are in ${folder}`;
    throw error;
  } finally {
    await sim.close();
    process.off('exit', kill);
  }
  await rm(folder, { recursive: true, force: true });
  return {
    elapsed: systemClock.now() - began,
    faults: sim.faults,
    skipped: Object.fromEntries(sim.injected.skipped),
    timeline: sim.trace.timeline,
  };
}

/** Loads the parts that need the optional packages. */
async function loadParts() {
  const missing = NEEDED.filter((name) => !isInstalled(name));
  if (missing.length > 0) {
    const names = missing.join(' ');
    throw new TransportError(
      'failed_precondition',
      `runOnProcesses needs packages that are not installed: npm install --save-dev ${names}`,
    );
  }
  const [{ importNetwork }, { ProcessSimulation }] = await Promise.all([
    import('./process-network.ts'),
    import('./process-simulation.ts'),
  ]);
  return { importNetwork, ProcessSimulation };
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The packages that only runs on processes need: optional peers of this package. */
const NEEDED = ['@trunkline/peers', '@trunkline/transport-tcp', '@trunkline/transport-testkit'];

function urlOf(name: string, url: unknown): string | undefined {
  if (url === undefined && name === 'network') return undefined;
  const text = url instanceof URL ? url.href : url;
  if (typeof text === 'string' && URL.canParse(text)) return text;
  throw new TypeError(
    `runOnProcesses: ${name}: must be the URL of a module, such as new URL('./${name}.js', import.meta.url), got ${String(url)}`,
  );
}
