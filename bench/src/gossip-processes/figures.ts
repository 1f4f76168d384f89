// The figures of a stage, most of them per delivery: times in ms, and CPU in µs, absent if the system
// does not report it.

import type { Figures } from '../benchmark.ts';
import { Histogram } from './histogram.ts';
import type { StageResult } from './swarm.ts';

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
