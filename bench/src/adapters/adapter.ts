// What a way of carrying calls must show to be measured: a server in one process, a caller in another.

/** Answers one request; the same function behind every adapter, so that none does less work. */
export type Answer = (request: Uint8Array) => Uint8Array;

export interface Adapter {
  readonly name: string;
  /** In the server's process: serves until it is closed. */
  serve(answer: Answer): Promise<Serving>;
  /** In the client's process: one connection to a server of the same adapter. */
  connect(address: string): Promise<Caller>;
}

export interface Serving {
  readonly address: string;
  close(): Promise<void>;
}

export interface Caller {
  call(request: Uint8Array): Promise<Uint8Array>;
  /** The same over another channel of the same transport; undefined where there are no channels. */
  readonly callElsewhere: ((request: Uint8Array) => Promise<Uint8Array>) | undefined;
  /** What the codecs of a call do at both ends, without a wire, where that is a cost of its own. */
  inProcess?(request: Uint8Array): Uint8Array;
  close(): Promise<void>;
}
