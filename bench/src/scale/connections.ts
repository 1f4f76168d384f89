// Measures ever more connections of one server, from several processes: the cost of calls that are
// spread over all of them, and the server's memory per connection.

import type { KindName } from '../connections/by-name.ts';
import { memoryOf, open, type Started, start } from '../connections/measure.ts';
import type { Memory } from '../connections/server.ts';
import type { PointFigures } from './point.ts';

export interface ConnectionsPlan {
  /** The numbers of connections, in rising order. */
  readonly counts: readonly number[];
  readonly clients: number;
  readonly warmUp: number;
  readonly window: number;
}

/** @param tell receives how many connections are open now. */
export async function measureConnections(
  carrier: string,
  plan: ConnectionsPlan,
  tell: (open: number) => void,
): Promise<Map<number, PointFigures>> {
  const { counts, clients: processes } = plan;
  const points = new Map<number, PointFigures>();
  const started: { kill(): void }[] = [];
  try {
    const { server, clients } = await start(
      kindOf(carrier),
      { clients: processes, nodeFlags: [] },
      started,
    );
    let before: { count: number; memory: Memory } | undefined;
    for (const count of counts) {
      tell(count);
      await open(clients, count - (before?.count ?? 0));
      const rates = await callOverAll({ server, clients }, count, plan);
      const memory = await memoryOf(server);
      points.set(count, {
        ...rates,
        ...(before !== undefined && count >= ENOUGH && each(before, { count, memory })),
      });
      before = { count, memory };
    }
    for (const client of clients) client.kill();
    await server.close();
    return points;
  } finally {
    for (const child of started) child.kill();
  }
}

/** Makes `IN_FLIGHT` calls at a time, over the connections in turn. */
async function callOverAll(
  { server, clients }: Started,
  count: number,
  { warmUp, window }: ConnectionsPlan,
): Promise<PointFigures> {
  const holding = clients.slice(Math.max(clients.length - count, 0));
  const atOnce = Math.max(Math.floor(IN_FLIGHT / holding.length), 1);
  const reports = await Promise.all(
    holding.map((client) =>
      client.run({ open: 0, atOnce, calls: { warmUp, window, serverPid: server.pid } }),
    ),
  );
  const figures = reports.map((report) => report.figures!);
  const rate = figures.reduce((sum, each) => sum + each.rate, 0);
  // Each client has divided its own CPU, and the server's CPU in the window, by the number of its
  // own calls; this undoes it.
  const perCall = (of: 'serverCpu' | 'clientCpu', share: number) =>
    figures.some((each) => each[of] === undefined)
      ? undefined
      : figures.reduce((sum, each) => sum + each[of]! * each.rate, 0) / share / rate;
  return {
    rate,
    serverCpu: perCall('serverCpu', figures.length),
    clientCpu: perCall('clientCpu', 1),
  };
}

function each(
  before: { count: number; memory: Memory },
  after: { count: number; memory: Memory },
): Pick<PointFigures, 'rss' | 'heap'> {
  const share = (of: keyof Memory) =>
    (after.memory[of] - before.memory[of]) / (after.count - before.count);
  return { rss: share('rss'), heap: share('heap') };
}

function kindOf(carrier: string): KindName {
  return carrier === 'trunkline-tcp' ? 'trunkline-tcp' : 'bare-tcp';
}

/** Calls in flight, over all clients. */
const IN_FLIGHT = 128;
/** The least number of connections whose memory exceeds the noise. */
const ENOUGH = 1_000;
