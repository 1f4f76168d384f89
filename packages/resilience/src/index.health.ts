// The health of a node, for other nodes and for probes, and taking a node out of service.

export { type DrainOptions, drain } from './health/drain.ts';
export {
  type Health,
  type HealthOptions,
  type HealthRequest,
  type HealthResponse,
  healthHandler,
  serveHealth,
} from './health/health.ts';
export { healthProtocol, type ServingStatus } from './health/health-protocol.ts';
