// `hostile [name…]`: attacks victims and prints the outcomes. Exit code 1 if
// anything did not hold.

import { parseArgs } from 'node:util';
import { attacksNamed, NAMES } from './all-attacks.ts';
import { type Attack, carrierOf } from './attack.ts';
import { CARRIERS, type Carrier } from './carriers.ts';
import { twoCores } from './cores.ts';
import { issueCredentials } from './credentials.ts';
import { joined, type Outcome, QUANTITIES, type Quantity } from './outcome.ts';
import { formatOutcomes, writeReport } from './report.ts';
import { runScenario, ScenarioRun } from './scenario.ts';
import { Testbed } from './testbed.ts';

const USAGE = `usage: node hostile/dist/main.js [options] [name...]

  name                runs only the attacks whose names begin with this text (default: all)
  --on <carriers>     runs on these carriers, comma-separated, instead of the one that each attack
                      has in the report (${CARRIERS.join(', ')})
  --seconds <n>       duration of a round (default: 2)
  --measure <q>       measures only this: times or memory (default: both, in two runs)
  --rounds <n>        rounds of an attack for the times; an attack that repeats a single message
                      has one (default: 3)
  --quiet <n>         seconds for which the honest peer is measured before the first round
                      (default: 1); before the others, as many bytes go to a sink
  --report            also writes the figures into hostile/report.md
  --list              lists the attacks without running them
  --help              prints this text`;

/** Milliseconds of an attack that repeats a single message. */
const BRIEF = 1_000;
/**
 * The number of runs in a row of an attack that fails. After all other attacks, it runs once more.
 * Other programs of the machine, and garbage that is collected late, rarely spoil all of these runs;
 * a defect does.
 */
const TRIES_IN_A_ROW = 2;
/** The figures that a run of the other quantity does not measure. */
const NO_TIMES = { control: Number.NaN, during: Number.NaN, delay: Number.NaN, busy: Number.NaN };
const NO_MEMORY = { growth: Number.NaN };

const { values, positionals } = parseArgs({
  options: {
    on: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    measure: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    quiet: { type: 'string', default: '1' },
    report: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
if (values.help) console.log(USAGE);
else if (values.list) {
  const { attacks, scenarios } = attacksNamed(positionals);
  for (const { name, title } of [...attacks, ...scenarios])
    console.log(`${name.padEnd(26)} ${title}`);
} else await attackAll();

async function attackAll(): Promise<void> {
  const { attacks, scenarios } = attacksNamed(positionals);
  const asked = values.on?.split(',');
  const jobs = CARRIERS.flatMap((carrier) =>
    attacks
      .filter((attack) =>
        asked === undefined
          ? carrierOf(attack) === carrier
          : asked.includes(carrier) && (attack.carriers ?? CARRIERS).includes(carrier),
      )
      .map((attack) => ({ attack, carrier })),
  );
  const [quiet, long] = [Number(values.quiet) * 1_000, Number(values.seconds) * 1_000];
  const common = { credentials: await issueCredentials(), cores: twoCores() };
  const outcomes = new Map<string, Outcome>();
  let shared: { readonly testbed: Testbed; readonly carrier: Carrier } | undefined;

  async function run(attack: Attack, carrier: Carrier, quantity: Quantity): Promise<Outcome> {
    if (shared !== undefined && (shared.carrier !== carrier || attack.isBrief !== true)) {
      await shared.testbed.close();
      shared = undefined;
    }
    const testbed =
      shared?.testbed ??
      (await Testbed.open({
        ...common,
        carrier,
        quantity,
        victim: attack.victim ?? {},
        memory: attack.memory ?? 0,
      }));
    const isBrief = attack.isBrief === true;
    const outcome = await testbed.attack(attack, {
      rounds: quantity === 'memory' || isBrief ? 1 : Number(values.rounds),
      quiet: quantity === 'memory' ? 0 : quiet,
      effort: { milliseconds: isBrief ? Math.min(BRIEF, long) : long },
    });
    if (isBrief && outcome.flaws.length === 0) shared = { testbed, carrier };
    else {
      await testbed.close();
      shared = undefined;
    }
    return outcome;
  }

  /** A measurement of one row; outcomes with the same key are joined. */
  interface Task {
    readonly title: string;
    readonly key: string;
    measure(): Promise<Outcome>;
  }

  /**
   * Measures, and keeps the outcome if there are no flaws or if it is the last try. Returns true if
   * the outcome was kept.
   */
  async function tryOnce({ title, key, measure }: Task, isLast: boolean): Promise<boolean> {
    const outcome = await measure();
    const { flaws } = outcome;
    console.error(`${title}: ${flaws.length === 0 ? 'holds' : flaws.join('; ')}`);
    if (flaws.length > 0 && !isLast) return false;
    const earlier = outcomes.get(key);
    outcomes.set(key, earlier === undefined ? outcome : joined(earlier, outcome));
    if (values.report) writeReport([...outcomes.values()], NAMES);
    return true;
  }

  async function tryInARow(task: Task): Promise<boolean> {
    for (let tries = 0; tries < TRIES_IN_A_ROW; tries++)
      if (await tryOnce(task, false)) return true;
    return false;
  }

  function tasksOf(quantity: Quantity): Task[] {
    return jobs.map(({ attack, carrier }, at) => {
      const key = `${attack.name} on ${carrier}`;
      return {
        title: `${quantity} ${at + 1}/${jobs.length} ${key}`,
        key,
        async measure() {
          const outcome = await run(attack, carrier, quantity);
          return { ...outcome, ...(quantity === 'memory' ? NO_TIMES : NO_MEMORY) };
        },
      };
    });
  }

  const wanted = QUANTITIES.filter((q) => values.measure === undefined || values.measure === q);
  if (wanted.length === 0)
    throw new Error(`--measure is '${values.measure}'; it takes ${QUANTITIES.join(' or ')}`);
  const ofScenarios = scenarios.map((scenario, at) => ({
    title: `${at + 1}/${scenarios.length} ${scenario.name}`,
    key: scenario.name,
    measure: () => runScenario(scenario, new ScenarioRun(false, long)),
  }));
  for (const tasks of [...wanted.map(tasksOf), ofScenarios]) {
    const failed: Task[] = [];
    for (const task of tasks) if (!(await tryInARow(task))) failed.push(task);
    for (const task of failed) await tryOnce(task, true);
    await shared?.testbed.close();
    shared = undefined;
  }
  const all = [...outcomes.values()];
  console.log(formatOutcomes(all, NAMES));
  if (all.some(({ flaws }) => flaws.length > 0)) process.exitCode = 1;
}
