// The other end of one live connection.

/** One object from up to down: in `rpc.from`, `connections()`, `remotes()` and `admit`; a Target, too. */
export interface Remote {
  /** Unique in its transport: 'in-3', 'out-12'. */
  readonly id: string;
  /** The other end as the stream layer names it. */
  readonly endpoint: string;
  /** Who dialled: 'out' is this end. */
  readonly direction: 'in' | 'out';
  readonly closed: boolean;
  /** The last measured round trip in milliseconds. */
  readonly rtt?: number | undefined;
  /** Milliseconds for which a ping has been unanswered and nothing else has come either; 0 while the peer is heard. */
  readonly silence?: number | undefined;
  /** The address that the peer says it can be dialled at, with its scheme: 'tcp://host:port'. Several stand with commas between. */
  readonly addr?: string | undefined;
  /** There only when it was proven (TLS, noise). */
  readonly nodeId?: string | undefined;
  /** The peer's transport, 32 hex digits: the same over all its connections, new after its restart. */
  readonly instance: string;
  /** What its `hello` option gave: a token, a tenant. */
  readonly hello: Readonly<Record<string, string>>;
}
