// Runs the jobs of continuous integration. A job is a list of commands, and each of them runs, no
// matter what failed before it. A hosting service runs the jobs in parallel; without a name, all
// run in sequence. The last lines say how long each command took, on the clock and in CPU time,
// which tests failed, and which were skipped, with the reason. The very last one counts the tests
// of all commands; a command that prints no count is one.
//
//   node scripts/ci.mjs commit [job...]    what every commit must pass
//   node scripts/ci.mjs nightly [job...]   what takes too long for a commit
//   node scripts/ci.mjs commit --list      only prints the names of the jobs
//
// The commands get `CI=true` and no standard input.

import { basename } from 'node:path';
import process from 'node:process';
import { cpuSeconds, packages, run } from './workspace.mjs';

const pnpm = 'npx --yes pnpm@12';
const build = `${pnpm} run build`;

/** The packages whose tests each nightly job runs. */
const PARTS = {
  sockets: ['transport-tcp', 'transport-ws', 'security'],
  nodes: ['gossip', 'peers'],
  webrtc: ['transport-webrtc'],
  chromium: ['browser', 'browser-mesh', 'admin'],
  attacks: ['hostile'],
  benches: ['bench', 'evaluation'],
};
const others = [...Object.values(PARTS).flat(), 'consumer'];
PARTS.rest = [...packages.map((folder) => basename(folder)), 'workspace'].filter(
  (each) => !others.includes(each),
);
const tests = {};
for (const [job, folders] of Object.entries(PARTS))
  tests[job] = [build, `node scripts/test.mjs --nightly ${folders.join(' ')}`];

/**
 * The jobs of each run. A nightly job takes at most 90 minutes. The nightly run tests the
 * simulation on Node 22, too, whose built-in modules the loader must know.
 */
const RUNS = {
  commit: {
    node20: [`${pnpm} test`],
    node24: [build, 'npx --yes node@24 scripts/test.mjs --io'],
    node26: [build, 'npx --yes node@26 scripts/test.mjs --io'],
    runtimes: [build, 'node scripts/runtimes.mjs'],
    check: [`${pnpm} check`, 'node mutants/main.mjs --check'],
    docs: [`${pnpm} run docs`],
    chromium: [`${pnpm} test --pages`],
    search: [
      `${pnpm} demo`,
      `${pnpm} sim --seeds 100`,
      `${pnpm} mutants --commit`,
      `${pnpm} fuzz --runs 10000 --untimed`,
    ],
  },
  nightly: {
    ...tests,
    node22: [build, 'npx --yes node@22 scripts/test.mjs --io simulation'],
    search: [`${pnpm} sim --seeds 2000`, `${pnpm} processes`],
    mutants: [`${pnpm} mutants`],
    fuzz: [`${pnpm} fuzz --runs 300000 --untimed`],
    evaluation: [`${pnpm} evaluate gossip --nodes 1000 --seeds 4`, `${pnpm} evaluate peers`],
    scale: [`${pnpm} evaluate scale`, `${pnpm} evaluate faults`],
    soak: [`${pnpm} evaluate soak`],
    hostile: [`${pnpm} hostile --measure memory --report`],
  },
};

const [name, ...named] = process.argv.slice(2);
const total = { passed: 0, failed: 0 };
const report = [];
const jobs = Object.keys(RUNS[name] ?? {});
if (named[0] === '--list') console.log(jobs.join(', '));
else if (jobs.length === 0 || named.some((job) => !jobs.includes(job))) {
  const expected = jobs.length === 0 ? Object.keys(RUNS) : jobs;
  console.error(`ci.mjs: expected ${expected.join(' or ')}, not '${[name, ...named].join(' ')}'`);
  process.exitCode = 2;
} else {
  for (const job of named.length === 0 ? jobs : named)
    for (const command of RUNS[name][job]) await step(job, command);
  console.log(`\n== ${named.length === 0 ? `all jobs of ${name}` : named.join(', ')}`);
  console.log('  clock      CPU  exit  job       command');
  for (const line of report) console.log(line);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  if (total.failed > 0) process.exitCode = 1;
}

/** Runs a command, and adds its times and counts to the report. */
async function step(job, command) {
  console.log(`\n== ${job}: ${command}`);
  const [clock, cpu] = [performance.now(), cpuSeconds() ?? 0];
  const { code, output } = await run('sh', ['-c', command], {
    capture: 'all',
    env: { ...process.env, CI: 'true' },
    onOutput: (text) => process.stdout.write(text),
  });
  const seconds = [(performance.now() - clock) / 1_000, (cpuSeconds() ?? 0) - cpu];
  const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const [passed, failed] = counts?.slice(1).map(Number) ?? [Number(code === 0), Number(code !== 0)];
  total.passed += passed;
  total.failed += code === 0 ? failed : Math.max(failed, 1);
  const times = seconds.map((value) => `${value.toFixed(0)} s`.padStart(7)).join('  ');
  report.push(`${times}  ${String(code).padStart(4)}  ${job.padEnd(8)}  ${command}`);
  for (const [line] of output.matchAll(/^ +(?:skipped|failed): .*$/gm)) report.push(`    ${line}`);
}
