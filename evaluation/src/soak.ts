// The soak: for every backend, opens and closes connections, makes millions of calls on one
// connection, and makes calls of every kind while connections are killed at random. At the end
// nothing may be left: no handle, no heap, no call without an outcome. Exit code 1 if something is.

import { parseArgs } from 'node:util';
import { listed, positive } from '@trunkline/bench/arguments';
import { named } from '@trunkline/bench/named';
import { alignTable } from '@trunkline/bench/table';
import { CARRIERS, type Carrier } from './soak/carriers.ts';
import { handles, leftOver } from './soak/memory.ts';
import { calls, cycles, kills, type Phase, type SoakContext } from './soak/phases.ts';
import { serveAll } from './soak/protocol.ts';

const USAGE = `usage: node evaluation/dist/soak.js [options]

  --minutes <n>      duration in minutes, of which each backend gets an equal part (default: 60)
  --backend <names>  runs only these, comma-separated: ${CARRIERS.map(({ name }) => name).join(', ')}
  --cycles <n>       cycles of connect, call and close for each backend (default: 100000), for at
                     most 45 % of its time
  --calls <n>        calls on one connection for each backend (default: 10000000), for at most 30 %
                     of its time
  --seed <n>         seed that chooses when connections are killed (default: 1)
  --json             prints the phases as JSON instead of a table
  --help             prints this text`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

/** Milliseconds between two lines of progress. */
const EVERY = 5_000;

try {
  const { values } = parseArgs({
    options: {
      minutes: text,
      backend: text,
      cycles: text,
      calls: text,
      seed: text,
      json: flag,
      help: flag,
    },
  });
  if (values.help === true) console.log(USAGE);
  else {
    const carriers = named(
      'backend',
      'backend',
      CARRIERS,
      ({ name }) => name,
      listed(values.backend),
    );
    const minutes = Number(values.minutes ?? 60);
    if (!(minutes > 0))
      throw new TypeError(`--minutes: must be a number above 0, got '${values.minutes}'`);
    const plan = {
      cycles: positive('cycles', values.cycles, 100_000),
      calls: positive('calls', values.calls, 10_000_000),
      seed: positive('seed', values.seed, 1),
    };
    await soak(carriers, minutes * 60_000, plan, values.json === true);
  }
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 2;
}

interface Result {
  readonly backend: string;
  readonly phases: readonly Phase[];
  /** Handles that are left once everything is closed. */
  readonly left: readonly string[];
}

async function soak(
  carriers: readonly Carrier[],
  milliseconds: number,
  plan: { cycles: number; calls: number; seed: number },
  json: boolean,
): Promise<void> {
  const results: Result[] = [];
  const begin = performance.now();
  for (const [at, carrier] of carriers.entries()) {
    // Divides the remaining time, so that time one backend has not used goes to the others.
    const share = (milliseconds - (performance.now() - begin)) / (carriers.length - at);
    results.push(await soakOne(carrier, Math.max(share, 1_000), plan));
  }
  const wrong = results.flatMap(({ backend, phases, left }) => [
    ...phases.flatMap(({ name, wrong }) => wrong.map((what) => `${backend}, ${name}: ${what}`)),
    ...(left.length > 0 ? [`${backend}: ${left.length} handles are left: ${left.join(', ')}`] : []),
  ]);
  if (json) console.log(JSON.stringify({ results, wrong }, null, 2));
  else {
    console.log(
      `\nNode ${process.versions.node}, ${((performance.now() - begin) / 60_000).toFixed(1)} minutes\n\n${tableOf(results)}\n`,
    );
    for (const { backend, phases } of results)
      for (const { name, ledger } of phases) console.log(`${backend}, ${name}: ${ledger}`);
    console.log(
      wrong.length === 0
        ? '\nHandles are back to zero, the heap is within 5 %, every call has one outcome.'
        : `\nWRONG\n${wrong.join('\n')}`,
    );
  }
  if (wrong.length > 0) process.exitCode = 1;
}

async function soakOne(
  carrier: Carrier,
  milliseconds: number,
  plan: { cycles: number; calls: number; seed: number },
): Promise<Result> {
  const before = handles();
  const server = await carrier.open('server');
  const handled = serveAll(server);
  await server.listen();
  const begin = performance.now();
  let told = begin;
  const context = (what: string): SoakContext => ({
    carrier,
    server,
    handled,
    address: server.localAddr(),
    seed: plan.seed,
    progress(done) {
      const now = performance.now();
      if (now - told < EVERY) return;
      told = now;
      console.error(
        `${carrier.name}, ${what}: ${done.toLocaleString('en-US')} after ${((now - begin) / 1_000).toFixed(0)} s`,
      );
    },
  });
  const phases: Phase[] = [];
  phases.push(await cycles(context('cycles'), plan.cycles, milliseconds * 0.45));
  phases.push(await calls(context('calls on one connection'), plan.calls, milliseconds * 0.3));
  phases.push(
    await kills(
      context('calls while connections are killed'),
      Math.max(milliseconds - (performance.now() - begin), 1_000),
    ),
  );
  await server.close();
  return { backend: carrier.name, phases, left: await leftOver(before) };
}

function tableOf(results: readonly Result[]): string {
  const lines = results.flatMap(({ backend, phases, left }) =>
    phases.map(({ name, done, what, seconds, heapBefore, heapAfter, wrong }, at) => [
      backend,
      name,
      `${done.toLocaleString('en-US')} ${what}`,
      `${seconds.toFixed(0)} s`,
      `${(heapBefore / 2 ** 20).toFixed(1)} to ${(heapAfter / 2 ** 20).toFixed(1)} MiB`,
      at === phases.length - 1 ? String(left.length) : '',
      wrong.length === 0 ? 'balances' : 'WRONG',
    ]),
  );
  return alignTable(
    [['backend', 'phase', 'done', 'time', 'heap', 'handles left', ''], ...lines],
    2,
  );
}
