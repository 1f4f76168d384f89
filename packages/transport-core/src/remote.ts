// The interface of a connected peer; LiveRemote in stream/connection implements it.

/**
 * The peer of one connection: the same object from the time its hello has arrived until the
 * connection has ended. You get it from `rpc.from`, `connections()`, `remotes()` and `admit`, and
 * you can use it as a Target.
 */
export interface Remote {
  /** The connection's id, unique in its transport: 'in-3', 'out-12'. */
  readonly id: string;
  /** The peer's address as the stream layer names it. */
  readonly endpoint: string;
  /** The end that dialed: 'out' means this end, 'in' the peer. */
  readonly direction: 'in' | 'out';
  /** True once the connection has ended. */
  readonly closed: boolean;
  /** The last measured round trip in milliseconds. */
  readonly rtt?: number | undefined;
  /**
   * The time, in milliseconds, for which a ping has gone unanswered and nothing else has arrived; 0
   * while data keeps arriving from the peer.
   */
  readonly silence?: number | undefined;
  /**
   * The address at which the peer says it can be dialed, with its scheme: 'tcp://host:port'.
   * Several addresses are separated by commas. It changes if the peer calls `advertise`.
   */
  readonly addr?: string | undefined;
  /** The peer's node id; set only if the peer proved it (TLS, noise). */
  readonly nodeId?: string | undefined;
  /**
   * The id of the peer's transport, 32 hex digits: the same on all its connections, new after a
   * restart.
   */
  readonly instance: string;
  /**
   * The fields of the peer's option `hello`, for example a token or a tenant, and its option `name`
   * as the field `name`, unless `hello` has one.
   */
  readonly hello: Readonly<Record<string, string>>;
}
