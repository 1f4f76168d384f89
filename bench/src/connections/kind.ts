// The interface that a way of holding connections implements to be measured.

/** The connections that a server's process has seen come up and go down. */
export interface Counts {
  up: number;
  down: number;
}

export interface Kind {
  /** Runs in the server's process: accepts connections and echoes what arrives. */
  serve(counts: Counts): Promise<Serving>;
  /** Runs in a client's process. */
  connect(address: string): Promise<Holder>;
}

export interface Serving {
  readonly address: string;
  /**
   * Bytes that each open connection has received, in a stable order; undefined if they are not
   * counted.
   */
  received?(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Holds the connections of one client process. */
export interface Holder {
  /** Connections that ended although neither end closed them on purpose. */
  readonly lost: number;
  /** Opens one more connection and makes one small call on it. */
  open(): Promise<void>;
  /**
   * Repeats that call over the connection that was opened as the `at`-th, counted from 0; absent if
   * calls cannot be told apart.
   */
  call?(at: number): Promise<void>;
  close(): Promise<void>;
}
