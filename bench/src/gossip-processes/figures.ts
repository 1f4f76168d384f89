// The figures of a stage, most of them per delivery.

import { Histogram } from './histogram.ts';
import type { StageResult } from './swarm.ts';

export type Figures = {
  /** Messages published a second. */
  readonly rate: number;
  /** The delay in milliseconds of the message that was published latest after it was due. */
  readonly late: number;
  /** Deliveries that are missing, that came more than once, and that belong to another stage. */
  readonly lost: number;
  readonly twice: number;
  readonly strange: number;
  /** Milliseconds from publishing to delivery, over all processes. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /**
   * CPU in microseconds: of all processes and the server per delivery, and of the publisher per
   * message. Absent if the system does not report it.
   */
  readonly cpu?: number | undefined;
  readonly publisherCpu?: number | undefined;
  /** The server's CPU per delivery; absent if there is no server. */
  readonly serverCpu?: number | undefined;
  /** The number of cores that all of them used together. */
  readonly cores?: number | undefined;
  /** Copies received and bytes transferred, per delivery. */
  readonly copies: number;
  readonly bytes: number;
  /** Links of a process: the mean, and the most. */
  readonly links: number;
  readonly mostLinks: number;
};

export function figuresOf(
  { published, received, states, copies, bytes, cpu, seconds }: StageResult,
  count: number,
): Figures {
  const sum = (of: (each: (typeof received)[number]) => number) =>
    received.reduce((total, each) => total + of(each), 0);
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
    ...(cpu &&
      all && {
        cpu: all / deliveries / 1_000,
        publisherCpu: cpu.publisher / count / 1_000,
        cores: all / 1e9 / seconds,
      }),
    ...(cpu && cpu.server > 0 && { serverCpu: cpu.server / deliveries / 1_000 }),
    copies: copies / deliveries,
    bytes: bytes / deliveries,
    links: links.reduce((total, each) => total + each, 0) / links.length,
    mostLinks: Math.max(...links),
  };
}
