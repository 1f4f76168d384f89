// The parts of @trunkline/resilience, as far as metrics see them; that package depends on this one.

import type { MetricSources } from '../../source-types.ts';

/** Creates parts, and the state that they report. */
export function createParts() {
  const state = {
    addresses: [{ status: 'up' }, { status: 'up' }],
    events: { added: 2, removed: 0, up: 0, down: 0, ejected: 0, returned: 0 },
    retries: { retries: 0, hedges: 0, throttled: 0, pushbacks: 0 },
    breaker: { opened: 0, refused: 0, circuits: [{ state: 'closed' }] },
    admission: { limit: 10, running: 1, waiting: 0, admitted: 0, refused: 0 },
    resumption: { opened: 1, resumed: 0, gap: 0, unknown: 0, replaced: 0, full: 0 },
  };
  const sources = {
    balancer: {
      snapshot: () => ({
        names: [{ name: 'service:shop', waiting: 0, addresses: state.addresses }],
        events: state.events,
      }),
    },
    retries: { snapshot: () => state.retries },
    breaker: {
      get opened() {
        return state.breaker.opened;
      },
      refused: 0,
      snapshot: () => state.breaker.circuits,
    },
    admission: { snapshot: () => state.admission },
    concurrency: { snapshot: () => ({ limit: 1, inFlight: 0, refused: 0 }) },
    resumable: { streams: 1, bytes: 10, counts: state.resumption },
  } satisfies MetricSources;
  return { state, sources };
}
