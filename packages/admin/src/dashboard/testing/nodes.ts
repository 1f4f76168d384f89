// Nodes for the tests: they call each other, have peers and gossip, and one of them is hostile.

import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import {
  type Backend,
  createTransport,
  defineProtocol,
  json,
  serve,
  systemClock,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { createAdmin } from '../../admin.ts';
import { type Dashboard, type DashboardOptions, serveDashboard } from '../../index.dashboard.ts';
import { adminProtocol } from '../../protocol.ts';
import type { NodeState } from '../../state/node-state.ts';

export const greeter = defineProtocol({
  name: 'greeter',
  channel: 0x20,
  methods: {
    greet: { id: 1, request: json(z.string()), response: json(z.string()) },
    report: { id: 2, request: json(z.string()), response: json(z.string()) },
  },
});

/** A network of nodes, and a dashboard that shows them. */
export interface TestNetwork {
  readonly addresses: readonly string[];
  readonly transports: readonly Transport<typeof greeter>[];
  readonly backends: readonly Backend[];
  readonly dashboard: Dashboard;
  /** Lets each node make calls, some of which fail, and publish a message. */
  work(): Promise<void>;
}

/** Starts nodes and a dashboard, and closes them after the test. */
export async function startNetwork(
  t: ExecutionContext,
  count: number,
  options: DashboardOptions = {},
  nameOf: (node: number) => string | undefined = () => undefined,
): Promise<TestNetwork> {
  const backends = [inmem()];
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      startNode(backends, `inmem://node-${i + 1}`, options.readonly ?? true, nameOf(i + 1)),
    ),
  );
  for (const { peers } of nodes.slice(1)) peers.add(nodes[0]!.address);
  await Promise.all(nodes.slice(1).map(({ peers }) => peers.ready()));
  const addresses = nodes.map(({ address }) => address);
  const tool = createTransport({ protocol: greeter, backends });
  const { nodes: others = [] } = options;
  const dashboard = await serveDashboard(tool, {
    interval: 250,
    ...options,
    nodes: [...addresses, ...others],
  });
  t.teardown(async () => {
    await dashboard.close();
    await tool.close();
    await Promise.all(nodes.map((node) => node.close()));
  });
  const work = async () => {
    await Promise.all(
      nodes.map(async ({ transport, topic }, i) => {
        const to = addresses[(i + 1) % count]!;
        for (const name of ['Ada', 'Grace', 'Barbara']) await transport.send(to, 'greet', name);
        await transport.send(to, 'report', `node ${i + 1}`).catch(() => {});
        await topic.publish(`news of node ${i + 1}`);
      }),
    );
  };
  const transports = nodes.map(({ transport }) => transport);
  return { addresses, transports, backends, dashboard, work };
}

async function startNode(
  backends: ReturnType<typeof inmem>[],
  address: string,
  readonly: boolean,
  name: string | undefined,
) {
  const admin = createAdmin({ allow: () => true, readonly });
  const { observer } = admin;
  const transport = createTransport(address, { protocol: greeter, backends, observer, name });
  serve(transport, {
    greet: async (name) => {
      await systemClock.sleep(name.length);
      return `Hello, ${name}!`;
    },
    report: (name) => {
      throw new TransportError('failed_precondition', `the printer is out of paper for ${name}`);
    },
  });
  const peers = createPeers({ transport, identity: createIdentity() });
  const gossip = createGossip({ transport, peers, overlay: partialView() });
  admin.serve({ transport, peers, gossip, log: { level: 'info' } });
  await transport.listen();
  await peers.start();
  await gossip.start();
  const topic = gossip.topic('news', json(z.string()));
  const close = async () => {
    await gossip.close();
    await peers.close();
    await transport.close();
  };
  return { address, transport, peers, topic, close };
}

/** Markup, control characters, and marks that change the writing direction. */
export const HOSTILE = '<img src=x onerror="document.title=\'broken\'">\u202e\u0007\u001b[31m';

/** Starts a node whose whole state is names like HOSTILE. Returns its backend and address. */
export async function startHostile(t: ExecutionContext) {
  const backends = [inmem()];
  const address = 'inmem://hostile';
  const transport = createTransport(address, { protocol: greeter, backends });
  serve(transport.mount(adminProtocol), {
    watch: async function* () {
      for (;;) {
        yield {
          at: systemClock.now(),
          more: false,
          patch: hostileState() as unknown as Record<string, unknown>,
        };
        await systemClock.sleep(300);
      }
    },
  });
  await transport.listen();
  t.teardown(() => transport.close());
  return { backends, address };
}

function hostileState(): NodeState {
  const queue = { calls: 3, bytes: 1e9 };
  const connection = (id: string) => ({
    ...{ endpoint: `${HOSTILE}${id}`, direction: 'in' as const, state: 'up' as const },
    ...{ since: 0, instance: `${HOSTILE}${id}`, addr: `${HOSTILE}${id}`, rtt: -1 },
    name: `${HOSTILE}${id}`,
    ...{ bytes: { in: 1, out: 1 }, calls: { in: 0, out: 0 }, streams: 0, blocked: 1 },
    ...{ inbound: queue, outbound: { messages: 1, bytes: 1 } },
    fill: { calls: -1, streams: 7, inbound: 1e99, outbound: 0 },
  });
  const call = { side: 'server' as const, active: 1, codes: { [HOSTILE]: 1, constructor: 2 } };
  return {
    at: systemClock.now(),
    node: {
      ...{ state: 'open', draining: false, readonly: true, network: HOSTILE, nodeId: HOSTILE },
      ...{ name: HOSTILE, version: HOSTILE, certificateEnd: -1 },
      addresses: [HOSTILE],
      protocols: { [HOSTILE]: { version: 1, channel: 1 } },
      logLevel: HOSTILE,
    },
    totals: {
      ...{ received: 0, sent: 0, memory: 5, waiting: 1, made: 1, served: 1, handshakes: -1 },
      ...{ incoming: queue, failed: {}, counters: {}, dialing: [HOSTILE] },
    },
    limits: {
      ...{ memory: 0, connections: 0, handshakes: 0, total: queue, calls: -1, streams: 0 },
      ...{ inbound: queue, outbound: { messages: 0, bytes: 0 } },
    },
    connections: {
      toString: connection('a'),
      constructor: connection('b') as never,
      [HOSTILE]: connection('c'),
    },
    calls: {
      [`server ${HOSTILE}`]: {
        ...call,
        ...{ method: HOSTILE, seconds: 1, counts: [1, 2], bounds: [0.1] },
      },
    } as never,
    errors: {
      '1': { at: 0, count: 1, what: HOSTILE, where: HOSTILE, code: 'unknown', text: HOSTILE },
    },
    peers: {
      [HOSTILE]: {
        ...{ proven: false, persistent: false, direction: 'in', score: 1, instance: HOSTILE },
        ...{ connection: 'toString', addr: HOSTILE, status: { [HOSTILE]: HOSTILE } },
      },
    },
    topics: {
      [HOSTILE]: {
        ...{ topic: HOSTILE, overlay: HOSTILE, life: 1, neighbors: [HOSTILE], interested: 1 },
        ...{ published: 0, delivered: 0, duplicates: 0, dropped: { [HOSTILE]: 1 } },
        ...{ waiting: 0, bytes: 0, missed: 0, details: { tree: { neighbors: [{ id: HOSTILE }] } } },
      },
    },
  };
}
