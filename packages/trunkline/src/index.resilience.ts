// Balancing, retries, circuit breakers and limits.

export * from '@trunkline/resilience';
