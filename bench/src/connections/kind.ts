// What a way of holding connections must show to be measured.

/** What a server's process has seen of its connections. */
export interface Counts {
  up: number;
  down: number;
}

export interface Kind {
  /** In the server's process: accepts connections and echoes what comes. */
  serve(counts: Counts): Promise<Serving>;
  /** In a client's process. */
  connect(address: string): Promise<Holder>;
}

export interface Serving {
  readonly address: string;
  /** Bytes that each open connection has received, in any order that stays; undefined where nobody counts them. */
  received?(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Holds the connections of one client process. */
export interface Holder {
  /** Connections that ended though nobody ended them. */
  readonly lost: number;
  /** Opens one connection more, and makes one small call on it. */
  open(): Promise<void>;
  /** The same call again, over the connection that was opened as the `at`-th, from 0; absent where calls are not told apart. */
  call?(at: number): Promise<void>;
  close(): Promise<void>;
}
