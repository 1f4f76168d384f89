// The interface of each measured way to make calls: a server in one process, a
// caller in another.

/** Answers one request. Every adapter uses the same function, so that none does less work. */
export type Answer = (request: Uint8Array) => Uint8Array;

export interface Adapter {
  readonly name: string;
  /** Runs in the server's process and serves until it is closed. */
  serve(answer: Answer): Promise<Serving>;
  /** Runs in the client's process and opens one connection to a server of the same adapter. */
  connect(address: string): Promise<Caller>;
}

export interface Serving {
  readonly address: string;
  close(): Promise<void>;
}

export interface Caller {
  call(request: Uint8Array): Promise<Uint8Array>;
  /**
   * Makes the same call over another channel of the same transport; undefined if the adapter has no
   * channels.
   */
  readonly callElsewhere: ((request: Uint8Array) => Promise<Uint8Array>) | undefined;
  /**
   * Runs the codecs of a call, of both ends, without a wire. Only adapters whose codec is measured
   * separately have it.
   */
  inProcess?(request: Uint8Array): Uint8Array;
  close(): Promise<void>;
}
