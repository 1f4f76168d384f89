// A synthetic network for the dashboard: each node serves the admin protocol with made-up states
// that change every second. The figures depend on a seed only.

import { adminProtocol, type NodeState } from '@trunkline/admin';
import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';

/** The nodes of a synthetic network. */
export interface SyntheticNetwork {
  readonly addresses: readonly string[];
  /** A transport that reaches the nodes. */
  readonly tool: Transport;
  close(): Promise<void>;
}

const idle = defineProtocol({
  name: 'idle',
  version: 1,
  methods: { none: { id: 1, request: bytes } },
});

/** Starts nodes that claim to have links: the node `i` has dialed `links / nodes` others. */
export async function startSyntheticNetwork(
  nodes: number,
  links: number,
): Promise<SyntheticNetwork> {
  const random = seededRandom(1);
  const addresses = Array.from({ length: nodes }, (_, i) => `inmem://node-${i}`);
  const connections = addresses.map(() => new Map<string, Connection>());
  const used = new Set<string>();
  for (let link = 0; link < links; link++) {
    const from = link % nodes;
    let to = (from + 1) % nodes;
    while (to === from || used.has(`${from} ${to}`)) to = Math.floor(random() * nodes);
    used.add(`${from} ${to}`);
    const rtt = 1 + 40 * random();
    connections[from]!.set(`out-${link}`, { peer: addresses[to]!, direction: 'out', rtt });
    connections[to]!.set(`in-${link}`, { peer: addresses[from]!, direction: 'in', rtt });
  }
  const backends = [inmem()];
  const transports: Transport[] = [];
  for (const [i, address] of addresses.entries()) {
    const transport = createTransport(address, { protocol: idle, backends });
    transports.push(transport);
    const state = stateOf(address, connections[i]!);
    serve(transport.mount(adminProtocol), {
      watch: async function* () {
        for (let second = 0; ; second++) {
          const at = Math.round(systemClock.now());
          const patch = second === 0 ? { ...state, at } : change(state, second, at, random);
          yield { at, more: false, patch };
          await systemClock.sleep(1_000);
        }
      },
    });
    await transport.listen();
  }
  const tool = createTransport({ protocol: idle, backends });
  transports.push(tool);
  const close = async () => void (await Promise.all(transports.map((each) => each.close())));
  return { addresses, tool, close };
}

interface Connection {
  readonly peer: string;
  readonly direction: 'in' | 'out';
  readonly rtt: number;
}

function stateOf(address: string, connections: ReadonlyMap<string, Connection>): NodeState {
  const zero = { in: 0, out: 0 };
  const call = { method: 'store/get', active: 1, seconds: 0, bounds: BOUNDS };
  const counts = new Array<number>(BOUNDS.length + 1).fill(0);
  return {
    at: 0,
    node: {
      ...{ state: 'open', draining: false, readonly: true, network: 'default', version: '0' },
      ...{ addresses: [address], protocols: { store: { version: 1, channel: 32 } } },
    },
    totals: {
      ...{ received: 0, sent: 0, memory: 0, waiting: 0, made: 0, served: 0, handshakes: 0 },
      ...{ incoming: { calls: 0, bytes: 0 }, failed: {}, counters: {}, dialing: [] },
    },
    limits: {
      ...{ memory: 1e8, connections: 16_384, handshakes: 64, calls: 4_096, streams: 128 },
      ...{ total: { calls: 32_768, bytes: 1e8 }, inbound: { calls: 4_096, bytes: 1e7 } },
      outbound: { messages: 4_096, bytes: 1e7 },
    },
    connections: Object.fromEntries(
      [...connections].map(([id, { peer, direction, rtt }]) => [
        id,
        {
          ...{ endpoint: peer, direction, state: 'up', addr: peer, instance: peer, rtt, since: 0 },
          ...{ bytes: zero, calls: zero, streams: 0, blocked: 0 },
          ...{ inbound: { calls: 0, bytes: 0 }, outbound: { messages: 0, bytes: 0 } },
          fill: { calls: 0, streams: 0, inbound: 0, outbound: 0 },
        },
      ]),
    ),
    calls: { 'server store/get': { ...call, side: 'server', codes: { ok: 0 }, counts } },
    errors: {},
  };
}

const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Returns the patch of a second: all connections have more bytes, and the calls have gone on. */
function change(state: NodeState, second: number, at: number, random: () => number) {
  const grown = () => second * 1_000 + Math.floor(50_000 * random() ** 4);
  const connections = Object.keys(state.connections).map((id) => [
    id,
    { rtt: 1 + 40 * random(), bytes: { in: grown(), out: grown() } },
  ]);
  const counts = BOUNDS.map((_, i) => second * (i + 1)).concat(second);
  const ended = counts.reduce((sum, count) => sum + count, 0);
  return {
    at,
    totals: { received: 1e5 * second, sent: 1e5 * second, memory: 1e5 * random(), served: ended },
    connections: Object.fromEntries(connections),
    calls: { 'server store/get': { codes: { ok: ended }, counts } },
  };
}
