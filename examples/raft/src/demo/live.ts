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
import { raftProtocol as protocol } from '../protocol.ts';
import { loopClock as clock } from './clock.ts';
import { Cluster } from './cluster.ts';
import { certify, type Place } from './networks.ts';

/** Options of the live demo. */
export interface LiveOptions {
  readonly nodes: number;
  /** Serves the dashboard, and stops the leader every 20 seconds. */
  readonly dashboard: boolean;
  /** Receives lines that stay visible. */
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
  const lookers = new Set<string | undefined>([user.nodeId, own.nodeId]);
  const replicas = new Set<string | undefined>([own, ...members].map(({ nodeId }) => nodeId));
  const desk = createTransport({ protocol, clock, backends: [tcp({ tls: own.tls })] });
  let client: KvClient | undefined;
  const store = () => {
    if (client !== undefined) return client;
    throw new TransportError('unavailable', 'the cluster is starting');
  };
  const places = members.map((member) => livePlace(member, { lookers, replicas, store }));
  const cluster = new Cluster({ places }, { writes: 4_000, signal });
  const page = dashboard ? await serveDashboard(desk, { readonly: false }) : undefined;
  try {
    await cluster.gather(nodes);
    await cluster.start();
    await cluster.until('a leader', () => cluster.leader);
    client = cluster.client(desk, 'store');
    for (const target of cluster.targets) page?.add(target);
    await writeContext(folder, cluster.members[0]!.addr, user);
    print(`${nodes} nodes: ${cluster.members.map(({ addr }) => addr).join(' ')}`);
    print(howToCall(folder));
    if (page !== undefined) print(`\nThe dashboard: ${page.url}`);
    print('\nCtrl-C ends the cluster.');
    const losing = dashboard ? keepLosing(cluster, print, signal) : undefined;
    await Promise.all([keepWriting(cluster.client(desk, 'writer'), signal), losing]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await page?.close();
    await desk.close();
    await cluster.close();
    await rm(folder, { recursive: true });
  }
}

/** What the nodes of the live demo share. */
interface Shared {
  /** The nodes that may use the administration and reflection of the others. */
  readonly lookers: ReadonlySet<string | undefined>;
  /** The nodes that may call the protocol of Raft. */
  readonly replicas: ReadonlySet<string | undefined>;
  /** Returns the client that executes the commands of users. */
  readonly store: () => KvClient;
}

/** Creates the place of one node id. */
function livePlace({ nodeId, tls }: Certified, { lookers, replicas, store }: Shared): Place {
  const allow = (remote: { readonly nodeId?: string | undefined }) => lookers.has(remote.nodeId);
  const open = async (address = 'tcp://127.0.0.1:0') => {
    const admin = createAdmin({ allow, readonly: false });
    const { observer } = admin;
    const interceptors = { server: [onlyReplicas(replicas)] };
    const options = { protocol, clock, backends: [tcp({ tls })], observer, interceptors };
    const transport = createTransport(address, options);
    try {
      const handlers = {
        get: async ({ key }: { key: string }) => ({ value: await store().get(key) }),
        set: async ({ key, value }: { key: string; value: string }) => {
          await store().set(key, value);
          return {};
        },
      };
      serve(transport.mount(storeProtocol), handlers, { toError: forwarded });
      serveReflection(transport, { allow });
      serveHealth(transport);
      admin.serve({ transport });
      await transport.listen();
      return transport;
    } catch (error) {
      await transport.close();
      throw error;
    }
  };
  return { open, proof: { nodeId, deny: () => {} } };
}

/** Keeps the code of a call that a command made; its text would show the address of a node. */
function forwarded(error: unknown): TransportError {
  return error instanceof TransportError && error.target !== undefined
    ? new TransportError(error.code, 'the cluster has not executed the command')
    : (error as TransportError);
}

/** Refuses calls of Raft's protocol, which could change the log, by nodes that are no replicas. */
function onlyReplicas(replicas: Shared['replicas']): ServerInterceptor {
  return (next) => (call) => {
    if (call.protocol === protocol.name && !replicas.has(call.from.nodeId))
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
  const file = (name: string) => join(folder, name);
  const context = { address, ca: file('ca.crt'), cert: file('me.crt'), key: file('me.key') };
  const contexts = { current: 'demo', contexts: { demo: context } };
  for (const [name, content] of Object.entries({
    'ca.crt': tls.ca,
    'me.crt': tls.cert,
    'me.key': tls.key,
    'contexts.json': JSON.stringify(contexts),
  }))
    await writeFile(file(name), content, { mode: 0o600 });
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
