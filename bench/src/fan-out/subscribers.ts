// The process of all subscribers: `subscribers.js <kind> <address> <port of the pace> <pid of the
// publisher> [pid of a server]`.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { report, runCommands } from '../commands.ts';
import { type Figures, Stopwatch } from '../stopwatch.ts';
import { fanOutOf } from './kinds.ts';
import { Deliveries, SUBSCRIBERS } from './pace.ts';

export interface FanOutCommand {
  readonly warmUp: number;
  readonly window: number;
}

export interface FanOutReport {
  readonly figures?: Figures;
}

const [name, address, port, ...pids] = process.argv.slice(2);
const kind = await fanOutOf(name!);
const watch = new Stopwatch();
let failed: (error: unknown) => void;
const failure = new Promise<never>((_, reject) => {
  failed = reject;
});
failure.catch(() => {});
const STEP = Uint8Array.of(1);
let pace: Socket;
const deliveries = new Deliveries(() => pace.write(STEP));
const spreaders = await Promise.all(
  Array.from({ length: SUBSCRIBERS }, (_, subscriber) =>
    kind.open({ nodes: SUBSCRIBERS + 1, dials: [address!] }, (message) => {
      try {
        deliveries.take(subscriber, message);
        watch.calls++;
      } catch (error) {
        failed(error);
      }
    }),
  ),
);
while (!spreaders.every((spreader) => spreader.links() >= 1)) await sleep(1);
// The publisher starts when this connection arrives.
pace = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
pace.on('error', () => {});
await once(pace, 'connect');

runCommands<FanOutCommand, FanOutReport>(
  async ({ warmUp, window }) => ({
    figures: await Promise.race([watch.measure(warmUp, window, ...pids.map(Number)), failure]),
  }),
  () => {
    pace.destroy();
    for (const spreader of spreaders) void spreader.close();
  },
);
report<FanOutReport>({});
