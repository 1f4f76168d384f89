// The keys of the metadata by which callers and servers tell each other about repeated calls.

/** The keys that interceptors read and set in the metadata of requests and of errors. */
export const resilienceMetadata = {
  /**
   * In a request: the priority of the call, '0' to '9'. Higher priorities are admitted first.
   * Without it, the priority is 5.
   */
  priority: 'priority',
  /**
   * In a request: the number of earlier attempts; set on all attempts except the first. gRPC's
   * `grpc-previous-rpc-attempts` (gRFC A6).
   */
  previousAttempts: 'previous-attempts',
  /**
   * In an error: the time after which the call should be retried, as a number of milliseconds with
   * at most 10 digits. Any other value means never. gRPC's `grpc-retry-pushback-ms` (gRFC A6).
   */
  retryPushback: 'retry-pushback-ms',
} as const;
