// Attacks that open calls only to cancel them.

import { setTimeout as sleep } from 'node:timers/promises';
import type { CancelerCommand, CancelerReport, Way } from '../canceler.ts';
import { Child } from '../child.ts';
import { twoCores } from '../cores.ts';
import { issueCredentials } from '../credentials.ts';
import type { HonestCommand, HonestReport } from '../honest.ts';
import { p99Of } from '../outcome.ts';
import { type Finding, inTurn, type Scenario, type ScenarioRun } from '../scenario.ts';
import type { VictimCommand, VictimReport } from '../victim.ts';
import { FAST_HEAP } from '../warm-up.ts';

export const cancels: readonly Scenario[] = [
  inTurn((['at-once', 'later', 'unheard'] as const).map(cancelling), {
    name: 'rapid-cancels',
    title: 'makes 100,000 calls a second and cancels them: in the same write, or in the next',
  }),
];

/** In turns, attacks a victim and sends the same bytes to a sink, while an honest peer measures. */
function cancelling(way: Way): Scenario {
  async function run(run: ScenarioRun): Promise<Finding> {
    const { honest, attacker } = await open(run);
    const milliseconds = run.isShort ? SHORT : run.duration;
    let answer = '';
    async function measured(to: 'attack' | 'sink'): Promise<HonestReport> {
      await honest.ask({ do: 'measure' });
      ({ answer } = await attacker.ask({ do: to, way, milliseconds }));
      if (!run.isShort) await sleep(QUIET);
      return honest.ask({ do: 'stop' });
    }
    const control: HonestReport[] = [];
    const attacked: HonestReport[] = [];
    for (let round = 0; round < (run.isShort ? 1 : ROUNDS); round++) {
      control.push(await measured('sink'));
      attacked.push(await measured('attack'));
    }
    const failed = attacked.reduce((sum, each) => sum + failures(each), 0);
    const of = attacked.reduce((sum, { times }) => sum + times.length, failed);
    return {
      answer,
      honest: { succeeded: of - failed, of },
      p99: { control: p99Of(control), attacked: p99Of(attacked) },
      flaws: [],
    };
  }
  return {
    name: `cancel-${way}`,
    title: 'makes calls and cancels them',
    cases: [45],
    carrier: 'tcp',
    run,
  };
}

interface Bed {
  readonly honest: Child<HonestCommand, HonestReport>;
  readonly attacker: Child<CancelerCommand, CancelerReport>;
}

/**
 * Opens the processes, on the same cores as those of every attack (testbed.ts). The attacker reads
 * an ERROR for each call, so on the core of the victim it would measure itself.
 */
async function open(run: ScenarioRun): Promise<Bed> {
  const credentials = await issueCredentials();
  const carrier = 'tcp' as const;
  const [core, others] = run.isShort ? [] : twoCores();
  const victim = run.own(
    new Child<VictimCommand, VictimReport>('victim', { core, flags: FAST_HEAP }),
    (child) => child.close(),
  );
  const honest = run.own(
    new Child<HonestCommand, HonestReport>('honest', { core: others }),
    (child) => child.close(),
  );
  const { host, port, address } = await victim.ask({
    do: 'start',
    carrier,
    credentials,
    options: {},
  });
  await honest.ask({ do: 'start', carrier, credentials, address });
  if (!run.isShort) await honest.ask({ do: 'warm' });
  const attacker = run.own(
    new Child<CancelerCommand, CancelerReport>('canceler', { core: others, yields: true }),
    (child) => child.close(),
  );
  const target = { carrier, host, port, ...credentials.attacker, stranger: credentials.stranger };
  await attacker.ask({ do: 'start', target });
  return { honest, attacker };
}

function failures({ failed }: HonestReport): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}

const ROUNDS = 3;
/** Milliseconds of a short run, and those in which the victim comes to rest after a long one. */
const SHORT = 300;
const QUIET = 200;
