// Names of metrics and labels as Prometheus writes them.

import type { MetricAttributes } from '../collection.ts';
import type { MetricDefinition } from '../definitions.ts';

/**
 * Returns the name of a metric: `rpc.client.call.duration` in seconds becomes
 * `rpc_client_call_duration_seconds`, a counter ends in `_total`, and `trunkline.peer.count`
 * becomes `trunkline_peers`, because Prometheus keeps the suffix `_count` for histograms.
 */
export function promName({ name, unit, type }: MetricDefinition): string {
  const suffix = SUFFIXES[unit] ?? '';
  return `${name.replace(/(s?)\.count$/, (_, end) => (end === '' ? 's' : 'ses')).replaceAll('.', '_')}${suffix}${type === 'counter' ? '_total' : ''}`;
}

/** Returns the labels of a point: `rpc.method` becomes `rpc_method`. */
export function labelsOf(attributes: MetricAttributes): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name.replaceAll('.', '_'), value]),
  );
}

/**
 * The suffixes of the units that appear in Prometheus names. Other units, such as `{call}`, are
 * left out.
 */
const SUFFIXES: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };
