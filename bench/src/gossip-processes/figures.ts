// What a stage came to, in figures of one delivery.

import { Histogram } from './histogram.ts';
import type { StageResult } from './swarm.ts';

export interface Figures {
  /** Messages a second, as they went out. */
  readonly rate: number;
  /** Milliseconds by which the latest of them was late. */
  readonly late: number;
  /** Deliveries that did not happen, that happened more than once, and that were of another stage. */
  readonly lost: number;
  readonly twice: number;
  readonly strange: number;
  /** Milliseconds from publishing to delivery, over all processes. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** Microseconds on a core a delivery, of all processes and the server; the publisher's a message. Absent where the system doesn't tell. */
  readonly cpu?: number | undefined;
  readonly publisherCpu?: number | undefined;
  /** The server's, a delivery; absent where there is none. */
  readonly serverCpu?: number | undefined;
  /** Cores that all of them together used. */
  readonly cores?: number | undefined;
  /** Copies that came, and bytes that crossed, a delivery. */
  readonly copies: number;
  readonly bytes: number;
  /** Links of a process: the mean, and the most. */
  readonly links: number;
  readonly mostLinks: number;
}

export function figuresOf({ published, received, states, copies, bytes, cpu, seconds }: StageResult, count: number): Figures {
  const sum = (of: (each: (typeof received)[number]) => number) => received.reduce((total, each) => total + of(each), 0);
  const deliveries = sum((each) => each.received);
  const delays = new Histogram();
  for (const each of received) delays.merge(each.delays);
  const all = cpu && cpu.publisher + cpu.others + cpu.server;
  const links = states.map((state) => state.links);
  return {
    rate: published.rate,
    late: published.late,
    lost: count * received.length - deliveries,
    twice: sum((each) => each.twice),
    strange: sum((each) => each.strange),
    p50: delays.percentile(0.5) / 1_000,
    p99: delays.percentile(0.99) / 1_000,
    longest: delays.longest / 1_000,
    ...(cpu && all && { cpu: all / deliveries / 1_000, publisherCpu: cpu.publisher / count / 1_000, cores: all / 1e9 / seconds }),
    ...(cpu && cpu.server > 0 && { serverCpu: cpu.server / deliveries / 1_000 }),
    copies: copies / deliveries,
    bytes: bytes / deliveries,
    links: links.reduce((total, each) => total + each, 0) / links.length,
    mostLinks: Math.max(...links),
  };
}
