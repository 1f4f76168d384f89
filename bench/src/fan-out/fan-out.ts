// s7: messages of 256 bytes from one publisher to 16 subscribers, each over its own connection, in
// one process. All ways of spreading are paced alike, so that none drops messages: over a separate
// socket, the subscribers report every `STEP`th message once all of them have it.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Serving } from '../adapters/adapter.ts';
import { plain } from '../adapters/limit-net.ts';
import type { CallScenario } from '../scenarios.ts';
import type { Open, Untold } from './limit-net.ts';

/**
 * In messages. `AHEAD` is below the 1,000 that gossip queues for a slow peer; `STEP` is large
 * enough that a write carries many messages.
 */
const AHEAD = 768;
export const STEP = 256;
export const SUBSCRIBERS = 16;
/** The size of a message in bytes. */
const SIZE = 256;

/** The ways to spread messages, by the names of their columns. */
const KINDS: Readonly<Record<string, () => Promise<Open>>> = {
  'limit-net': async () => (await import('./limit-net.ts')).open,
  'trunkline-tcp': async () => (await import('../gossip-processes/overlays.ts')).mesh.open,
};
export const FAN_OUT_NAMES: readonly string[] = Object.keys(KINDS);

interface Subscribers {
  /** Counts the deliveries. */
  counter: { calls: number };
  /** Set if a message is wrong, or the publisher fails. */
  failure?: unknown;
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
    while (!watch.over) {
      await sleep(10);
      if (subscribers.failure !== undefined) throw subscribers.failure;
    }
  },
};
export const scenarios = [FAN_OUT];

export const library = {
  /** The address has two parts, because the pace has a port of its own. */
  async serve(kind: string): Promise<Serving> {
    const open = await KINDS[kind]!();
    const publisher = await open({ nodes: SUBSCRIBERS + 1, dials: [] }, () => {});
    const pace = await plain.serve((socket) => void publishAll(publisher, socket));
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
    const deliveries = new Deliveries(() => pace.write(NEXT));
    const spreaders = await Promise.all(
      Array.from({ length: SUBSCRIBERS }, (_, subscriber) =>
        open({ nodes: SUBSCRIBERS + 1, dials: [publisher!] }, (message) => {
          try {
            deliveries.take(subscriber, message);
            subscribers.counter.calls++;
          } catch (error) {
            subscribers.failure = error;
          }
        }),
      ),
    );
    const subscribers: Subscribers = {
      counter: { calls: 0 },
      async close() {
        pace.destroy();
        await Promise.all(spreaders.map((spreader) => spreader.close()));
      },
    };
    while (!spreaders.every((spreader) => spreader.links() >= 1)) await sleep(1);
    // The publisher starts when this connection arrives.
    const pace = await plain.dial(port!);
    pace.on('data', (error) => {
      subscribers.failure = new Error(`the publisher failed: ${error}`);
    });
    return subscribers;
  },
};

async function publishAll(publisher: Untold, pace: Socket): Promise<void> {
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

export function messageOf(sequence: number): Uint8Array {
  const message = new Uint8Array(SIZE);
  const view = new DataView(message.buffer);
  view.setUint32(0, sequence);
  view.setUint32(SIZE - 4, ~sequence);
  return message;
}

/** Checks the messages that each subscriber receives: every message, in order. */
export class Deliveries {
  readonly #next = new Uint32Array(SUBSCRIBERS);
  readonly #step: () => void;

  /** @param step is called whenever all subscribers have `STEP` more messages. */
  constructor(step: () => void) {
    this.#step = step;
  }

  /** @throws Error if the message is not the next one, or not intact. */
  take(subscriber: number, message: Uint8Array): void {
    const sequence = this.#next[subscriber]!;
    if (
      message.length !== SIZE ||
      readInt(message, 0) !== (sequence | 0) ||
      readInt(message, SIZE - 4) !== ~sequence
    ) {
      throw new Error(
        `subscriber ${subscriber} got message ${readInt(message, 0)} of ${message.length} bytes, in place of ${sequence}`,
      );
    }
    this.#next[subscriber] = sequence + 1;
    const isEnd = (sequence + 1) % STEP === 0;
    // A step is complete when its last subscriber reaches the end; all others are there or beyond.
    if (isEnd && Math.min(...this.#next) === sequence + 1) this.#step();
  }
}

/**
 * Reads an integer without a DataView, whose creation would cost about as much as a delivery of the
 * raw limit.
 */
function readInt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

const NEXT = Uint8Array.of(1);
