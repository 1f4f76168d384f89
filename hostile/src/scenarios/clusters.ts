// Attacks on a cluster: by peers on its ports, and by a worker on its channel to the primary.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { echoProtocol as protocol } from '../echo-protocol.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';

export const clusters: readonly Scenario[] = [
  {
    name: 'cluster-ports',
    title:
      'looks for other ports of a cluster, and holds silent and foreign connections to its port',
    cases: [],
    carrier: 'cluster',
    async run(run): Promise<Finding> {
      const { lines, address, pids } = await startCluster(run, '');
      const port = Number(address.split(':').at(-1));
      const doors = [...new Set(pids.flatMap(doorsOf))].filter((door) => door !== `tcp ${port}`);
      const sockets: Socket[] = [];
      run.own(sockets, (all) => {
        for (const each of all) each.destroy();
      });
      for (let i = 0; i < SILENT; i++) {
        const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
        socket.on('error', () => {});
        // Every other connection sends a message that the channel of a worker would understand.
        if (i % 2 === 0) socket.write('{"trunkline":"cluster","type":"leave","grace":0}\n');
        sockets.push(socket);
      }
      const honest = await callOften(run, address);
      const { snapshot } = await lines.ask();
      return {
        answer: `${pids.length} processes, one port`,
        honest,
        flaws: [
          ...doors.map((door) => `another door: ${door}`),
          ...(snapshot.total?.workers === 3 ? [] : ['a worker does not answer']),
        ],
      };
    },
  },
  {
    name: 'cluster-worker-lies',
    title: 'has taken over a worker of a cluster, and lies to the primary',
    cases: [],
    carrier: 'cluster',
    isSlow: true,
    async run(run): Promise<Finding> {
      const { lines, address } = await startCluster(run, 'lie');
      const honest = await callOften(run, address);
      const { snapshot, metrics } = await lines.ask();
      const flaws: string[] = [];
      if (snapshot.total?.workers !== 2) flaws.push(`no snapshot: ${JSON.stringify(snapshot)}`);
      if (JSON.stringify(metrics).includes('forged')) flaws.push('a forged metric is exported');
      const closed = lines.next();
      lines.write();
      const late = new Promise((resolve) => setTimeout(resolve, CLOSE_TIME, 'late').unref());
      if ((await Promise.race([closed, late])) !== 'closed')
        flaws.push('the cluster does not close');
      return { answer: 'its own answers are errors', honest, flaws };
    },
  },
];

interface State {
  readonly snapshot: { readonly total?: { readonly workers: number } };
  readonly metrics: unknown;
}

/** The lines that a process prints. */
class Lines {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    const lines: Interface = createInterface({ input: child.stdout! });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the primary has ended');
    return value;
  }

  write(): void {
    this.#child.stdin!.write('\n');
  }

  async ask(): Promise<State> {
    this.write();
    return JSON.parse(await this.next());
  }
}

async function startCluster(run: ScenarioRun, mode: string) {
  const path = fileURLToPath(new URL('../cluster-primary.js', import.meta.url));
  const child = spawn(process.execPath, [path, mode], { stdio: ['pipe', 'pipe', 'inherit'] });
  run.own(child, async (each) => {
    if (each.exitCode !== null || each.signalCode !== null) return;
    each.kill('SIGKILL');
    await once(each, 'exit');
  });
  const lines = new Lines(child);
  const { address, pids } = JSON.parse(await lines.next()) as { address: string; pids: number[] };
  return { lines, address, pids };
}

/** Calls over fresh connections, one after the other. */
async function callOften(run: ScenarioRun, address: string) {
  let succeeded = 0;
  for (let i = 0; i < CALLS; i++) {
    const client = run.own(
      createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] }),
      (each) => each.close(),
    );
    await client.send(address, 'echo', Uint8Array.of(i), { timeout: 5_000 }).then(
      () => succeeded++,
      () => {},
    );
    await client.close();
  }
  return { succeeded, of: CALLS };
}

/** Returns the sockets at which a process waits for others: 'tcp 7000', or a path. */
function doorsOf(pid: number): string[] {
  let files: string[];
  try {
    files = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return []; // Another system.
  }
  const inodes = new Set(
    files.flatMap((file) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${file}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const doors: string[] = [];
  for (const kind of ['tcp', 'tcp6', 'udp', 'udp6'])
    for (const line of rowsOf(`/proc/net/${kind}`)) {
      const [, local = '', , state, , , , , , inode = ''] = line;
      const isOpen = kind.startsWith('udp') || state === LISTENS;
      if (isOpen && inodes.has(inode))
        doors.push(`${kind} ${Number.parseInt(local.split(':').at(-1)!, 16)}`);
    }
  for (const line of rowsOf('/proc/net/unix'))
    if (inodes.has(line[6] ?? '') && line[7] !== undefined) doors.push(line[7]);
  return doors;
}

function rowsOf(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
}

const SILENT = 200;
const CALLS = 20;
/** The state of a socket that listens, in /proc/net/tcp. */
const LISTENS = '0A';
/** The grace of the cluster, 5 s more, and a busy machine. */
const CLOSE_TIME = 15_000;
