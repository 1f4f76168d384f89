// The information that a NATS service gives about itself on `$SRV`, in the schemas io.nats.micro.v1
// (NATS ADR-32).

import { systemWall } from '@trunkline/transport-core/backend';

/** The description of a service and of its endpoints. */
export interface ServiceDescription {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly description: string;
  readonly endpoints: readonly Endpoint[];
}

interface Endpoint {
  readonly name: string;
  readonly subject: string;
  readonly queue_group: string;
}

/** Counts the requests of each endpoint, and answers PING, INFO and STATS. */
export class ServiceRecord {
  readonly #description: ServiceDescription;
  // biome-ignore lint/style/noRestrictedGlobals: formats the time of an injected clock
  readonly #started = new Date(systemWall()).toISOString();
  readonly #counts = new Map<string, Counts>();

  constructor(description: ServiceDescription) {
    this.#description = description;
    for (const { name } of description.endpoints)
      this.#counts.set(name, { requests: 0, errors: 0, lastError: '', time: 0 });
  }

  /**
   * Counts a request. Call the returned function once, with the time of its answer, and with the
   * text of its error if there is one. Times are in milliseconds. `endpoint` is the name of an
   * endpoint of the description.
   */
  begin(endpoint: string, now: number): (end: number, error?: string) => void {
    const counts = this.#counts.get(endpoint)!;
    counts.requests++;
    return (end, error) => {
      counts.time += Math.round((end - now) * NANOSECONDS);
      if (error === undefined) return;
      counts.errors++;
      counts.lastError = error;
    };
  }

  /** A function for each verb, which returns the present answer. */
  get verbs(): Readonly<Record<string, () => object>> {
    const { name, id, version, description, endpoints } = this.#description;
    const identity = { name, id, version, metadata: {} };
    return {
      PING: () => ({ type: `${SCHEMA}.ping_response`, ...identity }),
      INFO: () => ({
        type: `${SCHEMA}.info_response`,
        ...identity,
        description,
        endpoints: endpoints.map((each) => ({ ...each, metadata: {} })),
      }),
      STATS: () => ({
        type: `${SCHEMA}.stats_response`,
        ...identity,
        started: this.#started,
        endpoints: endpoints.map((each) => {
          const { requests, errors, lastError, time } = this.#counts.get(each.name)!;
          return {
            ...each,
            num_requests: requests,
            num_errors: errors,
            last_error: lastError,
            processing_time: time,
            average_processing_time: requests === 0 ? 0 : Math.round(time / requests),
          };
        }),
      }),
    };
  }
}

/** The counts of one endpoint. `time` is the total time of all requests, in nanoseconds. */
interface Counts {
  requests: number;
  errors: number;
  lastError: string;
  time: number;
}

const SCHEMA = 'io.nats.micro.v1';
/** Nanoseconds in a millisecond. */
const NANOSECONDS = 1e6;
