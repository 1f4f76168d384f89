// The statistics of calls by method, from the metrics of the node.

import type { MetricPoint, Metrics } from '@trunkline/telemetry';
import type { NodeCallStatistics } from './node-state.ts';

type Mutable = {
  -readonly [K in keyof NodeCallStatistics]: NodeCallStatistics[K] extends readonly number[]
    ? number[]
    : NodeCallStatistics[K] extends number
      ? number
      : NodeCallStatistics[K];
};

/** Returns the statistics of all methods, with a key made of the side and the method. */
export function callStatistics(metrics: Metrics): Record<string, NodeCallStatistics> {
  const methods: Record<string, Mutable> = {};
  const of = (side: 'client' | 'server', { attributes }: MetricPoint): Mutable => {
    const method = attributes['rpc.method'] ?? '';
    return (methods[`${side} ${method}`] ??= {
      side,
      method,
      active: 0,
      codes: {},
      seconds: 0,
      counts: [],
      bounds: [],
    });
  };
  for (const { name, points } of metrics.collect()) {
    const found = NAMES[name];
    if (found === undefined) continue;
    const [side, isDuration] = found;
    for (const point of points) {
      const statistics = of(side, point);
      if (isDuration) addDurations(statistics, point);
      else statistics.active = point.value;
    }
  }
  return methods;
}

function addDurations(statistics: Mutable, { attributes, value, buckets }: MetricPoint): void {
  const { counts, bounds, count } = buckets!;
  statistics.seconds += value;
  // A method has only one point for each code.
  (statistics.codes as Record<string, number>)[attributes['rpc.status_code'] ?? 'ok'] = count;
  statistics.bounds = bounds as number[];
  for (const [i, each] of counts.entries())
    statistics.counts[i] = (statistics.counts[i] ?? 0) + each;
}

/** The metrics that are read; telemetry/src/definitions.ts defines them. */
const NAMES: Readonly<Record<string, readonly ['client' | 'server', isDuration: boolean]>> = {
  'rpc.client.call.duration': ['client', true],
  'rpc.server.call.duration': ['server', true],
  'trunkline.client.call.active': ['client', false],
  'trunkline.server.call.active': ['server', false],
};
