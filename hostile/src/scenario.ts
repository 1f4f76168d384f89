// The interface of an attack that brings its own victim, honest peers and control, because it is
// not on an admitted connection: on a hub, a broker, a router, or on the peers of a peer.

import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MOST_RATIO, mib, type Outcome, SLACK } from './outcome.ts';

export interface Scenario {
  readonly name: string;
  /** A description of what the attacker does. */
  readonly title: string;
  /** The cases of docs/faults.md that the attack tests. */
  readonly cases: readonly number[];
  /** The part that is attacked, such as `nats`, `signaling` or `nat`. */
  readonly carrier: string;
  /** The scenario takes longer than 10 s, so the tests of a commit leave it out. */
  readonly isSlow?: boolean;
  /** Attacks, and tells what the honest peers noticed. */
  run(run: ScenarioRun): Promise<Finding>;
}

/** The result of a scenario. */
export interface Finding {
  /** The answer to the attacker, in a few words: `refused`, `full`, `GO_AWAY 8/13`. */
  readonly answer: string;
  /** Honest dials or calls: how many succeeded, of how many. All have to. */
  readonly honest?: { readonly succeeded: number; readonly of: number } | undefined;
  /**
   * The 99th percentiles of honest calls in milliseconds: while the attacker sends the same bytes
   * to a sink, and while it attacks. The second may be three times the first.
   */
  readonly p99?: { readonly control: number; readonly attacked: number } | undefined;
  /** Bytes by which the victim's memory grew at most, and by which its limits let it grow. */
  readonly growth?: { readonly bytes: number; readonly bound: number } | undefined;
  /** Other conditions that were violated. */
  readonly flaws: readonly string[];
}

/** One run of a scenario. */
export class ScenarioRun {
  /** True in a test: as short as possible, and times are not judged. */
  readonly isShort: boolean;
  /** Milliseconds for which an attack lasts. */
  readonly duration: number;
  readonly #owned: (() => unknown)[] = [];

  constructor(isShort: boolean, duration: number) {
    this.isShort = isShort;
    this.duration = duration;
  }

  /** Calls `close` at the end of the run; the last comes first. */
  own<T>(part: T, close: (part: T) => unknown): T {
    this.#owned.push(() => close(part));
    return part;
  }

  /** Lets a server listen on a free port, and returns the port. */
  async listening(server: Server, host = '127.0.0.1'): Promise<number> {
    this.own(server, (each) => each.close());
    await once(server.listen(0, host), 'listening');
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const close of this.#owned.splice(0).reverse()) await close();
  }
}

/** Makes one attack of several that differ in a detail: they run one after the other. */
export function inTurn(
  parts: readonly Scenario[],
  { name, title }: Pick<Scenario, 'name' | 'title'>,
): Scenario {
  return {
    ...parts[0]!,
    name,
    title,
    cases: [...new Set(parts.flatMap(({ cases }) => cases))],
    async run(run) {
      const found: Finding[] = [];
      for (const part of parts) {
        const own = new ScenarioRun(run.isShort, run.duration);
        found.push(await part.run(own).finally(() => own.close()));
      }
      return together(found);
    },
  };
}

/** Joins findings: honest attempts are added, and the worst times and memory count. */
function together(found: readonly Finding[]): Finding {
  const honest = found.flatMap((each) => each.honest ?? []);
  const p99 = found.flatMap((each) => each.p99 ?? []);
  const growth = found.flatMap((each) => each.growth ?? []);
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
  return {
    answer: [...new Set(found.map(({ answer }) => answer))].join('; '),
    honest:
      honest.length === 0
        ? undefined
        : {
            succeeded: sum(honest.map(({ succeeded }) => succeeded)),
            of: sum(honest.map(({ of }) => of)),
          },
    p99: p99.sort((a, b) => b.attacked / b.control - a.attacked / a.control)[0],
    growth: growth.sort((a, b) => b.bytes - b.bound - (a.bytes - a.bound))[0],
    flaws: found.flatMap(({ flaws }) => flaws),
  };
}

/**
 * Runs a scenario, and judges what it found.
 * @param longest milliseconds after which it has failed, so that it doesn't hold up the others
 */
export async function runScenario(
  scenario: Scenario,
  run: ScenarioRun,
  longest: number = LONGEST,
): Promise<Outcome> {
  const controller = new AbortController();
  const { signal } = controller;
  const tooLong = sleep(longest, undefined, { signal }).then(() => {
    throw new Error(`it did not end within ${longest} ms`);
  });
  const found = await Promise.race([scenario.run(run), tooLong])
    .catch((error: Error) => failure(error))
    .finally(() => run.close());
  tooLong.catch(() => {});
  controller.abort();
  const { honest, p99, growth } = found;
  return {
    attack: scenario.name,
    carrier: scenario.carrier,
    growth: growth?.bytes ?? Number.NaN,
    bound: growth?.bound ?? 0,
    control: p99?.control ?? Number.NaN,
    during: p99?.attacked ?? Number.NaN,
    delay: Number.NaN,
    busy: Number.NaN,
    answer:
      honest === undefined ? found.answer : `${found.answer}, ${honest.succeeded}/${honest.of}`,
    flaws: [...found.flaws, ...flawsOf(found, run)],
  };
}

function flawsOf({ honest, p99, growth }: Finding, { isShort }: ScenarioRun): string[] {
  const flaws: string[] = [];
  if (honest !== undefined && honest.succeeded < honest.of)
    flaws.push(`${honest.of - honest.succeeded} of ${honest.of} honest attempts failed`);
  if (!isShort && p99 !== undefined && p99.attacked > p99.control * MOST_RATIO)
    flaws.push(
      `p99 of honest calls is ${(p99.attacked / p99.control).toFixed(1)} times that of the control`,
    );
  if (growth !== undefined && growth.bytes > growth.bound + SLACK)
    flaws.push(`memory grew by ${mib(growth.bytes)} MiB, above its bound of ${mib(growth.bound)}`);
  return flaws;
}

function failure(error: Error): Finding {
  return { answer: 'failed', flaws: [`the attack failed: ${error.message.split('\n')[0]}`] };
}

const LONGEST = 240_000;
