// Attacks on the search for routers, in two network namespaces: false answers of one host, while
// another one is an honest router.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';

export const ssdp: readonly Scenario[] = [
  {
    name: 'nat-false-answers',
    title: 'answers the search for routers with URLs of other hosts and with malformed datagrams',
    cases: [],
    carrier: 'nat',
    async run(run): Promise<Finding> {
      const names = makeNetwork(run);
      if (names === undefined) return { answer: 'not run without network namespaces', flaws: [] };
      const attacker = start(run, names.attacker, 'false-routers', run.isShort ? 'fail' : 'hang');
      await line(attacker);
      const victim = start(run, names.victim, 'home-node');
      const { requests, addresses, error } = JSON.parse(await line(victim));
      attacker.stdin!.write('\n');
      const asked = Number(await line(attacker));
      return {
        answer: `${asked} requests to the attacker`,
        honest: { succeeded: addresses.join() === HONEST ? 1 : 0, of: 1 },
        flaws: [
          ...(requests.length === 0 ? [] : [`services of the victim got ${requests.join(', ')}`]),
          ...(asked <= MOST_REQUESTS ? [] : [`the attacker got ${asked} requests`]),
          ...(error === undefined ? [] : [error]),
        ],
      };
    },
  },
];

/** Returns the names of two namespaces with a link between them; undefined if this fails. */
function makeNetwork(run: ScenarioRun): { attacker: string; victim: string } | undefined {
  const [attacker, victim] = [`hostile-a${process.pid}`, `hostile-v${process.pid}`];
  const remove = () => {
    for (const name of [attacker, victim]) {
      try {
        ip(`netns del ${name}`);
      } catch {
        // The namespace was not made.
      }
    }
  };
  run.own(attacker, remove);
  try {
    for (const name of [attacker, victim]) {
      ip(`netns add ${name}`);
      ip(`-n ${name} link set lo up`);
    }
    ip(`-n ${attacker} link add eth0 type veth peer name eth0 netns ${victim}`);
    for (const [name, address] of [
      [attacker, '192.168.78.1/24'],
      [attacker, '192.168.78.3/24'],
      [victim, '192.168.78.2/24'],
    ])
      ip(`-n ${name} address add ${address} dev eth0`);
    for (const name of [attacker, victim]) ip(`-n ${name} link set eth0 up`);
    return { attacker, victim };
  } catch {
    return undefined;
  }
}

function ip(command: string): void {
  execFileSync('ip', command.split(' '), { stdio: 'ignore' });
}

function start(run: ScenarioRun, name: string, program: string, ...args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(`../${program}.js`, import.meta.url));
  // 'ip netns exec' replaces itself with the program, so a signal reaches the program.
  const child = spawn('ip', ['netns', 'exec', name, process.execPath, path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return run.own(child, async (each) => {
    if (each.exitCode !== null || each.signalCode !== null) return;
    each.kill('SIGKILL');
    await once(each, 'exit');
  });
}

/** Returns the next line that a program prints. */
async function line({ stdout, spawnargs }: ChildProcess): Promise<string> {
  const lines = createInterface({ input: stdout! });
  const [first] = await Promise.race([
    once(lines, 'line'),
    once(lines, 'close').then(() => {
      throw new Error(`${spawnargs.join(' ')} has ended`);
    }),
  ]);
  lines.close();
  return first;
}

const HONEST = 'tcp://203.0.113.7:7000';
/** One description, and its action. */
const MOST_REQUESTS = 2;
