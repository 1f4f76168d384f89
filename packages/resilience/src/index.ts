// The public entry. Lets calls survive failures and overload: balancing, retries, circuit breakers
// and limits.

export type { AddressStatus } from './balancing/address-state.ts';
export {
  type AddressSnapshot,
  type Balancer,
  type BalancerEvent,
  type BalancerLimits,
  type BalancerOptions,
  type BalancerSnapshot,
  createBalancer,
  type NameSnapshot,
} from './balancing/balancer.ts';
export { leastLoaded } from './balancing/least-loaded.ts';
export type { OutlierOptions } from './balancing/outliers.ts';
export { pickFirst } from './balancing/pick-first.ts';
export type { BalancingPolicy } from './balancing/policy.ts';
export { rendezvous } from './balancing/rendezvous.ts';
export { roundRobin } from './balancing/round-robin.ts';
export type { CircuitState } from './breaking/circuit.ts';
export {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitEvent,
  type CircuitSnapshot,
  createCircuitBreaker,
} from './breaking/circuit-breaker.ts';
export { PREVIOUS_ATTEMPTS, RETRY_PUSHBACK } from './failures.ts';
export {
  type Admission,
  type AdmissionOptions,
  type AdmissionQueueOptions,
  type AdmissionSnapshot,
  createAdmission,
  PRIORITY,
} from './limiting/admission.ts';
export {
  type ConcurrencyLimit,
  type ConcurrencyLimitOptions,
  type ConcurrencyLimitSnapshot,
  createConcurrencyLimit,
} from './limiting/concurrency-limit.ts';
export type { AdaptiveLimitOptions } from './limiting/limit-fields.ts';
export { type MulticastAnswer, type MulticastOptions, multicast } from './multicast.ts';
export {
  createRetries,
  type Retries,
  type RetriesOptions,
  type RetriesSnapshot,
} from './retries/retries.ts';
export type { RetryPolicy } from './retries/retry-policy.ts';
export type { RetryThrottleOptions } from './retries/retry-throttle.ts';
export { createStaticResolver, type StaticResolver } from './static-resolver.ts';
