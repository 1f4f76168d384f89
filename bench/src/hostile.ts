// The benchmark of slow peers and floods: how much slower small calls of honest peers become, and
// how much memory the server takes, while a peer that was admitted never reads, never grants
// credit, opens and cancels calls, or opens connections; and what happens when the server has no
// file descriptors left. Exit code 1 if a bar is missed.

import { parseArgs } from 'node:util';
import { listed, positive } from './arguments.ts';
import { ATTACKS } from './hostile/attacks.ts';
import { formatTable, judge } from './hostile/report.ts';
import { type Plan, runFewFiles, runRounds } from './hostile/rounds.ts';
import { named } from './named.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';

const USAGE = `usage: node bench/dist/hostile.js [options]

  --rounds <n>    number of rounds, each with a quiet part and one of each attack (default: 3)
  --window <ms>   duration of a part (default: 3000), of which the first third does not count
  --only <names>  runs only these attacks, separated by '|', or a prefix of their names:
                  ${ATTACKS.join(' | ')}
  --json          prints the figures as JSON instead of tables
  --smoke         runs one short round without bars
  --help          prints this text`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

try {
  const { values } = parseArgs({
    options: { rounds: text, window: text, only: text, json: flag, smoke: flag, help: flag },
  });
  const smoke = values.smoke === true;
  const names = listed(values.only?.replaceAll(',', '\u0000').replaceAll('|', ',')).map((name) =>
    name.replaceAll('\u0000', ','),
  );
  const plan: Plan = {
    rounds: positive('rounds', values.rounds, smoke ? 1 : 3),
    window: positive('window', values.window, smoke ? 300 : 3_000),
    attacks: named('only', 'attack', ATTACKS, (name) => name, names),
  };
  if (values.help === true) console.log(USAGE);
  else await bench(plan, smoke, values.json === true);
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 2;
}

async function bench(plan: Plan, smoke: boolean, json: boolean): Promise<void> {
  const rounds = await runRounds(plan, showProgress).finally(endProgress);
  const files = await runFewFiles(plan);
  const verdicts = smoke ? [] : judge(rounds, files);
  if (json)
    console.log(
      JSON.stringify(
        {
          node: process.version,
          rounds: rounds.map(({ parts, ticks }) => ({ parts: Object.fromEntries(parts), ticks })),
          files,
          verdicts,
        },
        null,
        2,
      ),
    );
  else {
    console.log(
      `Node ${process.versions.node}, medians of ${plan.rounds} rounds of ${plan.window} ms\n\n${formatTable(rounds, files)}\n`,
    );
    console.log(smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
