// The live demo: a cluster over TLS that runs until it is interrupted, and that tools can look at
// and call. With the dashboard, its leader is lost again and again.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdmin } from '@trunkline/admin';
import { serveDashboard } from '@trunkline/admin/dashboard';
import { serveReflection } from '@trunkline/admin/reflection';
import { serveHealth } from '@trunkline/resilience/health';
import { createAuthority } from '@trunkline/security';
import {
  systemClock as clock,
  createTransport,
  defineProtocol,
  json,
  type ServerInterceptor,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { z } from 'zod';
import type { KvClient } from '../client.ts';
import { raftProtocol as protocol } from '../messages.ts';
import { Cluster } from './cluster.ts';
import { certify, opener, type Place, seatOn } from './networks.ts';

/** The command line, which this repository has built. */
export const CLI = fileURLToPath(new URL('../../../../packages/cli/dist/main.js', import.meta.url));

/** Options of the live demo. */
export interface LiveOptions {
  readonly nodes: number;
  /** Serves the dashboard, and stops the leader every 20 seconds. */
  readonly dashboard: boolean;
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
}

type Certified = Awaited<ReturnType<typeof certify>>;

const key = z.string().min(1).max(200);

/** The key-value store as users call it, on every node. */
const storeProtocol = defineProtocol({
  name: 'store',
  version: 1,
  channel: 0x21,
  doc: 'A key-value store that a Raft cluster replicates.',
  methods: {
    get: {
      id: 1,
      doc: 'Returns the value of a key; without a value, there is no such key.',
      request: json(z.object({ key })),
      response: json(z.object({ value: z.string().optional() })),
    },
    set: {
      id: 2,
      doc: 'Sets a key, and returns when a majority of the nodes has stored it.',
      request: json(z.object({ key, value: z.string().max(10_000) })),
      response: json(z.object({})),
    },
  },
});

/** Runs a cluster until the signal aborts, and closes everything. */
export async function runLive({ nodes, dashboard, print, signal }: LiveOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-demo-'));
  const authority = await createAuthority();
  const [user, own] = [await certify(authority), await certify(authority)];
  const members = await Promise.all(Array.from({ length: nodes }, () => certify(authority)));
  let users = 0;
  const replicas = new Set([own, ...members].map(({ nodeId }) => nodeId));
  const newClient = () => cluster.client(`user-${++users}`);
  const desk = { open: opener('tcp://127.0.0.1:0', tcp({ tls: own.tls }), own.nodeId) };
  const places = [...members.map((member) => livePlace(member, replicas, newClient)), desk];
  await using cluster = new Cluster({ places }, { writes: 4_000, signal });
  try {
    await cluster.gather();
    await cluster.start();
    await cluster.until('a leader', () => cluster.leader);
    await using page = dashboard
      ? await serveDashboard(cluster.desk, { readonly: false })
      : undefined;
    for (const target of cluster.targets) page?.add(target);
    await writeContext(folder, cluster.members[0]!.addr, user);
    print(`${nodes} nodes: ${cluster.members.map(({ addr }) => addr).join(' ')}`);
    print(howToCall(folder));
    if (page !== undefined) print(`\nThe dashboard: ${page.url}`);
    print('\nCtrl-C ends the cluster.');
    const losing = dashboard ? keepLosing(cluster, print, signal) : undefined;
    await Promise.all([keepWriting(cluster.client('writer'), signal), losing]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Creates the place of one node id. `replicas` may call the protocol of Raft, and `newClient`
 * returns a client for a command of a user.
 */
function livePlace(
  { nodeId, tls }: Certified,
  replicas: ReadonlySet<string>,
  newClient: () => KvClient,
): Place {
  const allow = () => true; // TLS admits only nodes that the authority has certified.
  const open = (address = 'tcp://127.0.0.1:0') => {
    const admin = createAdmin({ allow, readonly: false });
    const transport = createTransport(address, {
      protocol,
      backends: [tcp({ tls })],
      observer: admin.observer,
      interceptors: { server: [onlyReplicas(replicas)] },
    });
    serve(transport.mount(storeProtocol), {
      get: async ({ key }) => ({ value: await newClient().get(key) }),
      set: async ({ key, value }) => {
        await newClient().set(key, value);
        return {};
      },
    });
    serveReflection(transport, { allow });
    serveHealth(transport);
    admin.serve({ transport });
    return seatOn(transport, nodeId);
  };
  return { open };
}

/** Refuses calls of Raft's protocol, which could change the log, by nodes that are no replicas. */
function onlyReplicas(replicas: ReadonlySet<string>): ServerInterceptor {
  return (next) => (call) => {
    if (call.protocol === protocol.name && !replicas.has(call.from.nodeId ?? ''))
      throw new TransportError(
        'permission_denied',
        `only members of the cluster may call '${call.protocol}'; call 'store' instead`,
        { reason: 'denied' },
      );
    return next(call);
  };
}

/** Writes ten values a second, so that there is something to see. */
async function keepWriting(client: KvClient, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    await client.set(`key-${i % 100}`, `value ${i}`).catch(() => {});
    await clock.sleep(100, signal).catch(() => {});
  }
}

/** Stops the leader, and brings it back, until the signal aborts. */
async function keepLosing(
  cluster: Cluster,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(TIME_UP, signal);
    const lost = await cluster.until('a leader', () => cluster.leader);
    print(`the leader ${lost.addr} stops`);
    await cluster.lose(lost);
    const next = await cluster.until('another leader', () => cluster.leader);
    print(`${next.addr} is the leader of term ${next.node.status.term}`);
    await clock.sleep(TIME_DOWN, signal);
    await cluster.bringBack(lost);
    print(`${lost.addr} is back`);
  }
}

/** Milliseconds until the leader is stopped, and until it returns. */
const TIME_UP = 12_000;
const TIME_DOWN = 8_000;

/** Saves the keys of a user, and a context of the command line that has them. */
async function writeContext(folder: string, address: string, { tls }: Certified): Promise<void> {
  const [ca, cert, key] = ['ca.crt', 'me.crt', 'me.key'].map((name) => join(folder, name));
  const contexts = { current: 'demo', contexts: { demo: { address, ca, cert, key } } };
  for (const [file, content] of [
    [ca!, tls.ca],
    [cert!, tls.cert],
    [key!, tls.key],
    [join(folder, 'contexts.json'), JSON.stringify(contexts)],
  ] as const)
    await writeFile(file, content, { mode: 0o600 });
}

/** Returns lines for a shell that call the cluster over TLS. */
function howToCall(folder: string): string {
  const path = relative(process.cwd(), CLI);
  return `
Call it over TLS from another terminal, in this folder:
  export TRUNKLINE_CONTEXTS=${join(folder, 'contexts.json')}
  alias trunkline='node ${path.startsWith('..') ? CLI : path}'
  trunkline ls
  trunkline call store/set '{"key":"color","value":"blue"}'
  trunkline call store/get '{"key":"color"}'
  trunkline top`;
}
