// s7: messages of 256 bytes from one publisher to 16 subscribers, each over its own connection, in
// one process. Over a separate socket, the subscribers report every `STEP` messages, so that the
// publisher does not run ahead of them.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Serving } from '../adapters/adapter.ts';
import { accepting, plain } from '../adapters/limit-net.ts';
import type { CallScenario } from '../scenarios.ts';
import {
  AHEAD,
  Deliveries,
  messageOf,
  type Open,
  type Spreader,
  STEP,
  SUBSCRIBERS,
} from './pace.ts';

/** The ways to spread messages, by the names of their columns. */
const KINDS: Readonly<Record<string, () => Promise<Open>>> = {
  'limit-net': async () => (await import('./limit-net.ts')).open,
  'trunkline-tcp': async () => (await import('../gossip-processes/overlays.ts')).mesh.open,
};
export const FAN_OUT_NAMES: readonly string[] = Object.keys(KINDS);

interface Subscribers {
  /** Counts the deliveries. */
  counter: { calls: number };
  /** Rejects if a message is wrong, or the publisher fails. */
  readonly failure: Promise<never>;
  close(): Promise<void>;
}

export const FAN_OUT: CallScenario<Subscribers> = {
  name: 's7',
  title: '256 B from 1 publisher to 16 subscribers',
  figures: [
    { key: 'rate', unit: 'deliveries/s' },
    { key: 'clientCpu', unit: 'subscribers ns' },
    { key: 'serverCpu', unit: 'publisher ns' },
  ],
  async run(subscribers, watch) {
    subscribers.counter = watch;
    while (!watch.over) await Promise.race([sleep(10), subscribers.failure]);
  },
};
export const scenarios = [FAN_OUT];

export const library = {
  /** The address has two parts, because the pace has a port of its own. */
  async serve(kind: string): Promise<Serving> {
    const open = await KINDS[kind]!();
    const publisher = await open({ nodes: SUBSCRIBERS + 1, dials: [] }, () => {});
    const pace = await accepting(plain.listen, (socket) => void publishAll(publisher, socket));
    return {
      address: `${publisher.address} ${pace.address}`,
      async close() {
        await pace.close();
        await publisher.close();
      },
    };
  },

  async connect(kind: string, address: string): Promise<Subscribers> {
    const [publisher, port] = address.split(' ');
    const open = await KINDS[kind]!();
    let failed!: (error: Error) => void;
    const failure = new Promise<never>((_, reject) => {
      failed = reject;
    });
    failure.catch(() => {});
    const deliveries = new Deliveries(() => pace.write(NEXT));
    const spreaders = await Promise.all(
      Array.from({ length: SUBSCRIBERS }, (_, subscriber) =>
        open({ nodes: SUBSCRIBERS + 1, dials: [publisher!] }, (message) => {
          try {
            deliveries.take(subscriber, message);
            subscribers.counter.calls++;
          } catch (error) {
            failed(error as Error);
          }
        }),
      ),
    );
    const subscribers: Subscribers = {
      counter: { calls: 0 },
      failure,
      async close() {
        pace.destroy();
        await Promise.all(spreaders.map((spreader) => spreader.close()));
      },
    };
    while (!spreaders.every((spreader) => spreader.links() >= 1)) await sleep(1);
    // The publisher starts when this connection arrives.
    const pace = await (await plain.dialer())(Number(port));
    pace.on('data', (error) => failed(new Error(`the publisher failed: ${error}`)));
    pace.on('error', () => {});
    return subscribers;
  },
};

async function publishAll(publisher: Spreader, pace: Socket): Promise<void> {
  pace.on('error', () => pace.destroy());
  let allowed = AHEAD;
  let published = 0;
  const publish = () => {
    while (published < allowed)
      Promise.resolve(publisher.publish(messageOf(published++))).catch((error) =>
        pace.end(String(error)),
      );
  };
  // Waits for all subscribers, because a late one would miss the first messages.
  while (publisher.links() < SUBSCRIBERS) await sleep(1);
  pace.on('data', (steps) => {
    allowed += steps.length * STEP;
    publish();
  });
  publish();
}

const NEXT = Uint8Array.of(1);
