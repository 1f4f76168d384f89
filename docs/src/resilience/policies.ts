import type { RetriesOptions } from 'trunkline/resilience';

/** Reads are hedged, writes are repeated while no handler has seen them. */
export const retries: RetriesOptions = {
  methods: {
    'orders/get': { idempotent: true, hedgeDelay: 50, attempts: 2 },
    'orders/list': { idempotent: true, attemptTimeout: 500, codes: ['unavailable', 'internal'] },
    'orders/*': { attempts: 5 },
  },
  throttle: { tokens: 100, ratio: 0.1 },
};
