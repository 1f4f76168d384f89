// The live demo: a cluster that runs until it is interrupted, for the command line and the
// dashboard. With the dashboard, its leader is lost again and again.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveDashboard } from '@trunkline/admin/dashboard';
import { createAuthority, createIdentity } from '@trunkline/security';
import { createTransport, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { KvClient } from '../client.ts';
import { raftProtocol } from '../protocol.ts';
import { Cluster } from './cluster.ts';
import type { Certified } from './credentials.ts';
import { liveNetwork } from './live-network.ts';
import { until } from './patience.ts';

/** Options of the live demo. */
export interface LiveOptions {
  readonly nodes: number;
  /** Serves the dashboard, and stops the leader every 20 seconds. */
  readonly dashboard: boolean;
  /** Receives lines that stay visible. */
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Runs a cluster until the signal aborts, and closes everything. */
export async function runLive({ nodes, dashboard, print, signal }: LiveOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-demo-'));
  const authority = await createAuthority();
  const issue = async (): Promise<Certified> => {
    const identity = createIdentity();
    const cert = await authority.issue(identity);
    return { nodeId: identity.nodeId, tls: { key: identity.key, cert, ca: authority.cert } };
  };
  const all = await Promise.all(Array.from({ length: nodes + 2 }, issue));
  const [user, own, ...credentials] = all as [Certified, Certified, ...Certified[]];
  const lookers = new Set([user.nodeId, own.nodeId]);
  const replicas = new Set([own, ...credentials].map(({ nodeId }) => nodeId));
  const commands = new CommandQueue();
  const network = liveNetwork({
    credentials,
    mayLook: (nodeId) => nodeId !== undefined && lookers.has(nodeId),
    mayReplicate: (nodeId) => nodeId !== undefined && replicas.has(nodeId),
    execute: (command) => commands.run(command),
  });
  const cluster = new Cluster(network, 4_000);
  const desk = createTransport({ protocol: raftProtocol, backends: [tcp({ tls: own.tls })] });
  const page = dashboard ? await serveDashboard(desk, { readonly: false }) : undefined;
  try {
    await cluster.gather(nodes);
    await cluster.start();
    await until('a leader', () => cluster.leader, cluster.timeScale, signal);
    const { targets, members } = cluster;
    commands.start(cluster.client({ transport: desk, name: 'store' }));
    for (const target of targets) page?.add(target);
    await writeContext(folder, members[0]!.addr, user, authority.cert);
    print(`${nodes} nodes: ${members.map(({ addr }) => addr).join(' ')}`);
    print(howToCall(folder));
    if (page !== undefined) print(`\nThe dashboard: ${page.url}`);
    print('\nCtrl-C ends the cluster.');
    const writer = cluster.client({ transport: desk, name: 'writer' });
    const losing = dashboard ? keepLosing(cluster, print, signal) : undefined;
    await Promise.all([keepWriting(writer, signal), losing]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await page?.close();
    await desk.close();
    await cluster.close();
    await rm(folder, { recursive: true });
  }
}

/** Runs commands one after the other, because a client has one command at a time. */
class CommandQueue {
  #client: KvClient | undefined;
  #last: Promise<unknown> = Promise.resolve();

  start(client: KvClient): void {
    this.#client = client;
  }

  run<T>(command: (client: KvClient) => Promise<T>): Promise<T> {
    const next = this.#last.then(() => {
      if (this.#client === undefined) throw new Error('the cluster is starting');
      return command(this.#client);
    });
    this.#last = next.catch(() => {});
    return next;
  }
}

/** Writes ten values a second, so that there is something to see. */
async function keepWriting(client: KvClient, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    await client.set(`key-${i % 100}`, `value ${i}`).catch(() => {});
    await systemClock.sleep(100, signal).catch(() => {});
  }
}

/** Stops the leader, and brings it back, until the signal aborts. */
async function keepLosing(
  cluster: Cluster,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await systemClock.sleep(TIME_UP, signal);
    const lost = await until('a leader', () => cluster.leader, cluster.timeScale, signal);
    print(`the leader ${lost.addr} stops`);
    await cluster.lose(lost);
    const next = await until('another leader', () => cluster.leader, cluster.timeScale, signal);
    print(`${next.addr} is the leader of term ${next.node.status.term}`);
    await systemClock.sleep(TIME_DOWN, signal);
    await cluster.bringBack(lost);
    print(`${lost.addr} is back`);
  }
}

/** Milliseconds until the leader is stopped, and until it returns. */
const TIME_UP = 12_000;
const TIME_DOWN = 8_000;

/** Saves the keys of a user, and a context of the command line that has them. */
async function writeContext(
  folder: string,
  address: string,
  { tls }: Certified,
  authority: string,
): Promise<void> {
  const file = (name: string) => join(folder, name);
  const context = { address, ca: file('ca.crt'), cert: file('me.crt'), key: file('me.key') };
  const contents: readonly (readonly [string, string])[] = [
    ['ca.crt', authority],
    ['me.crt', String(tls.cert)],
    ['me.key', String(tls.key)],
    ['contexts.json', JSON.stringify({ current: 'demo', contexts: { demo: context } })],
  ];
  for (const [name, content] of contents) await writeFile(file(name), content, { mode: 0o600 });
}

/** Returns lines for a shell that call the cluster over TLS. */
function howToCall(folder: string): string {
  const main = fileURLToPath(new URL('../../../../packages/cli/dist/main.js', import.meta.url));
  const path = relative(process.cwd(), main);
  return `
Call it over TLS from another terminal, in this folder:

  export TRUNKLINE_CONTEXTS=${join(folder, 'contexts.json')}
  alias trunkline='node ${path.startsWith('..') ? main : path}'
  trunkline ls
  trunkline call store/set '{"key":"color","value":"blue"}'
  trunkline call store/get '{"key":"color"}'
  trunkline top`;
}
