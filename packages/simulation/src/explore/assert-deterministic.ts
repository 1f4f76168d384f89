// A check that a scenario is deterministic: it runs it twice, and shows the first event that
// differs.

import type { Trace } from '../kernel/trace.ts';
import { createSimulation } from '../simulation.ts';
import type { SimulationOptions } from '../simulation-options.ts';
import type { Scenario } from './local-runner.ts';

/**
 * Runs a scenario twice with the same seed, in this thread, compares the hashes of the two traces,
 * and returns the hash.
 *
 * @param options the options of `createSimulation`.
 * @throws Error that shows the first event that differs, or the error of the scenario if both runs
 * fail in the same way.
 */
export async function assertDeterministic(
  scenario: Scenario,
  options: SimulationOptions = {},
): Promise<string> {
  const recorder = new Recorder();
  const { seed = 1 } = options;
  const one = await recorded(scenario, options, (event) => recorder.keep(event));
  const other = await recorded(scenario, options, (event) => recorder.compare(event));
  if (one.hash !== other.hash)
    throw new Error(
      `two runs of seed ${seed} differ: ${recorder.difference()}\nthe first run has the hash ${one.hash}\nthe second run has the hash ${other.hash}`,
    );
  if (one.error !== undefined) throw one.error.thrown;
  return one.hash;
}

type Recorded = Parameters<NonNullable<Trace['onRecord']>>[0];

interface Run {
  readonly hash: string;
  readonly error: { readonly thrown: unknown } | undefined;
}

async function recorded(
  scenario: Scenario,
  options: SimulationOptions,
  onRecord: (event: Recorded) => void,
): Promise<Run> {
  const sim = createSimulation(options);
  const trace = sim.trace as Trace;
  trace.onRecord = onRecord;
  let error: Run['error'];
  const fail = (thrown: unknown) => {
    error ??= { thrown };
  };
  try {
    await scenario(sim);
  } catch (thrown) {
    fail(thrown);
  }
  await sim.close().catch(fail);
  return { hash: trace.hash, error };
}

/** Keeps the events of the first run, and finds where the second run differs. */
class Recorder {
  readonly #events: string[] = [];
  /** Number of events of the first run that were not kept. */
  #more = 0;
  /** Number of events of the second run that equal those of the first. */
  #same = 0;
  /** The first event of the second run that differs. */
  #other: string | undefined;

  keep(event: Recorded): void {
    if (this.#events.length < MOST) this.#events.push(textOf(event));
    else this.#more++;
  }

  compare(event: Recorded): void {
    if (this.#other !== undefined || this.#same === MOST) return;
    const text = textOf(event);
    if (text === this.#events[this.#same]) this.#same++;
    else this.#other = text;
  }

  difference(): string {
    const [events, same, other] = [this.#events, this.#same, this.#other];
    const one = events[same];
    if (one === undefined && other === undefined) {
      return this.#more > 0
        ? `the first ${MOST} events are equal, and a later one differs`
        : 'their events are equal, but the names in them differ';
    }
    // Times are shown to a thousandth, unless that hides the difference.
    const show =
      one !== undefined && other !== undefined && shown(one) === shown(other)
        ? (text: string) => text
        : shown;
    return [
      `event ${same + 1} differs between the two runs`,
      ...events.slice(Math.max(0, same - SHOWN), same).map((text) => `  ${shown(text)}`),
      `- ${one === undefined ? '(the first run has no more)' : show(one)}`,
      `+ ${other === undefined ? '(the second run has no more)' : show(other)}`,
    ].join('\n');
  }
}

/**
 * The line of an event, and what the line does not show: the checksum of what was sent, stored or
 * noted, and the exact time.
 */
function textOf({ line, at, check }: Recorded): string {
  return `${line}${check === 0 ? '' : `  #${check.toString(16).padStart(8, '0')}`}\t(${at} ms)`;
}

/** The text of an event without the exact time. */
function shown(text: string): string {
  return text.slice(0, text.lastIndexOf('\t'));
}

/** Maximum number of events kept of the first run. */
const MOST = 500_000;
/** Number of equal events shown before the difference. */
const SHOWN = 8;
