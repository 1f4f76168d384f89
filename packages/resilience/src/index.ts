// The public entry. Lets calls survive failures and overload: balancing, retries, circuit breakers
// and limits.

export {
  type Balancer,
  type BalancerEvent,
  type BalancerOptions,
  type BalancerSnapshot,
  createBalancer,
} from './balancing/balancer.ts';
export { leastLoaded } from './balancing/least-loaded.ts';
export { pickFirst } from './balancing/pick-first.ts';
export type { BalancingPolicy } from './balancing/policy.ts';
export { rendezvous } from './balancing/rendezvous.ts';
export { roundRobin } from './balancing/round-robin.ts';
export {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitEvent,
  createCircuitBreaker,
} from './breaking/circuit-breaker.ts';
export {
  type Admission,
  type AdmissionOptions,
  createAdmission,
} from './limiting/admission.ts';
export {
  type ConcurrencyLimit,
  type ConcurrencyLimitOptions,
  createConcurrencyLimit,
} from './limiting/concurrency-limit.ts';
export { type MulticastAnswer, type MulticastOptions, multicast } from './multicast.ts';
export { resilienceMetadata } from './resilience-metadata.ts';
export {
  createRetries,
  type Retries,
  type RetriesOptions,
} from './retries/retries.ts';
export type { RetryPolicy } from './retries/retry-policy.ts';
export { createStaticResolver, type StaticResolver } from './static-resolver.ts';
