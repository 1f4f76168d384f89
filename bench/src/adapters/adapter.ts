// The interface of each measured way to make calls: a server in one process, a
// caller in another.

/** Answers one request. Every adapter uses the same function, so that none does less work. */
export type Answer = (request: Uint8Array) => Uint8Array;

export interface Adapter {
  /** Runs in the server's process and serves until it is closed. */
  serve(answer: Answer): Promise<Serving>;
  /** Runs in the client's process and opens one connection to a server of the same adapter. */
  connect(address: string): Promise<Caller>;
}

/** The adapters of a module, by the names in the tables. */
export type Adapters = Readonly<Record<string, Adapter>>;

export interface Serving {
  readonly address: string;
  close(): Promise<void>;
}

export interface Caller {
  call(request: Uint8Array): Promise<Uint8Array>;
  /**
   * Opens one more connection of the same client to the server; closing any of them closes all.
   * Default: another client connects.
   */
  another?(): Promise<Caller>;
  /**
   * Runs the codecs of a call, of both ends, without a wire. Only adapters whose codec is measured
   * separately have it.
   */
  inProcess?(request: Uint8Array): Uint8Array;
  /**
   * Receives an endless stream until `take`, which gets the length of each chunk, returns false.
   * Only adapters whose streams are measured have it.
   */
  stream?(take: (length: number) => boolean): Promise<void>;
  close(): Promise<void>;
}

/** An adapter whose two ends run in the client's process: the server's has nothing to do. */
export function inOneProcess(open: () => Promise<Caller>): Adapter {
  return {
    serve: async () => ({ address: 'in the process of the client', close: async () => {} }),
    connect: open,
  };
}
