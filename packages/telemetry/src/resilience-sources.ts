// Metrics that come from the snapshots of a balancer, retries, a circuit breaker, limits of
// concurrent calls, and resumable streams.

import { METRICS } from './definitions.ts';
import type { MetricSources } from './source-types.ts';
import type { Sums } from './sums.ts';

/**
 * Adds the present values of the sources. `nameOf` returns the label for the name of a target. Each
 * key of `events` and of `resumable.counts` becomes the value of a label.
 */
export function addResilience(
  sums: Sums,
  { balancer, retries, breaker, admission, concurrency, resumable }: MetricSources,
  nameOf: (target: string) => string,
): void {
  if (balancer !== undefined) {
    const { names, events } = balancer.snapshot();
    sums.add(METRICS.balancerWaiting, 0);
    for (const { name, waiting, addresses } of names) {
      sums.add(METRICS.balancerWaiting, waiting);
      const target = nameOf(name);
      for (const status of STATUSES) {
        const count = addresses.filter((address) => address.status === status).length;
        sums.add(METRICS.balancerAddresses, count, { target, status });
      }
    }
    for (const [event, count] of Object.entries(events))
      sums.add(METRICS.balancerEvents, count, { event });
  }
  if (retries !== undefined) {
    const { retries: retry, hedges: hedge, throttled, pushbacks: pushback } = retries.snapshot();
    for (const [kind, count] of Object.entries({ retry, hedge }))
      sums.add(METRICS.retryAttempts, count, { kind });
    for (const [reason, count] of Object.entries({ throttled, pushback }))
      sums.add(METRICS.retryRefused, count, { reason });
  }
  if (breaker !== undefined) {
    const circuits = breaker.snapshot();
    for (const state of ['closed', 'open', 'half-open']) {
      const count = circuits.filter((circuit) => circuit.state === state).length;
      sums.add(METRICS.circuits, count, { state });
    }
    sums.add(METRICS.circuitsOpened, breaker.opened);
    sums.add(METRICS.circuitsRefused, breaker.refused);
  }
  if (admission !== undefined) {
    const { limit, running, waiting, admitted, refused } = admission.snapshot();
    const server = { side: 'server' };
    sums.add(METRICS.admissionLimit, limit, server);
    sums.add(METRICS.admissionActive, running, server);
    sums.add(METRICS.admissionWaiting, waiting, server);
    sums.add(METRICS.admissionCalls, admitted, { ...server, outcome: 'admitted' });
    sums.add(METRICS.admissionCalls, refused, { ...server, outcome: 'refused' });
  }
  if (concurrency !== undefined) {
    const { limit, inFlight, refused } = concurrency.snapshot();
    const client = { side: 'client' };
    sums.add(METRICS.admissionLimit, limit, client);
    sums.add(METRICS.admissionActive, inFlight, client);
    sums.add(METRICS.admissionCalls, refused, { ...client, outcome: 'refused' });
  }
  if (resumable !== undefined) {
    sums.add(METRICS.resumptionStreams, resumable.streams);
    sums.add(METRICS.resumptionSize, resumable.bytes);
    for (const [outcome, count] of Object.entries(resumable.counts))
      sums.add(METRICS.resumptionCalls, count, { outcome });
  }
}

/**
 * The statuses for which addresses are counted: those of AddressStatus in resilience, except
 * 'removed'. An address with any other status is not counted.
 */
const STATUSES = ['up', 'down', 'probing', 'not_serving', 'ejected'];
