import {
  type BalancerOptions,
  type CircuitBreakerOptions,
  type RetriesOptions,
  rendezvous,
} from 'trunkline/resilience';

/** Reads are hedged, writes are repeated while no handler has seen them. */
export const retries: RetriesOptions = {
  methods: {
    'orders/get': { idempotent: true, hedgeDelay: 50, attempts: 2 },
    'orders/list': { idempotent: true, attemptTimeout: 500, codes: ['unavailable', 'internal'] },
    'orders/*': { attempts: 5 },
  },
  throttle: { tokens: 100, ratio: 0.1 },
};

/** Orders of one customer go to one server, which has them in its cache. */
export const balancer: Omit<BalancerOptions, 'resolve'> = {
  policy: rendezvous(({ metadata }) => metadata['customer']),
  outliers: { interval: 5_000, minAddresses: 3 },
  slowStart: 30_000,
};

/** Calls to a server stop for 10 s when 80 % of them fail. */
export const breaker: CircuitBreakerOptions = { failurePercent: 80, openFor: 10_000 };
