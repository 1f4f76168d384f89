// The interface of the ways to spread messages from one process to many.

/** The part that one process plays. */
export interface Spreader {
  /** The address that others dial; empty if nobody dials this process. */
  readonly address: string;
  /** Returns the number of processes that it exchanges messages with now. */
  links(): number;
  /** May return a promise, which rejects if publishing fails. */
  publish(message: Uint8Array): unknown;
  /** Returns the traffic since it was opened. */
  traffic(): Traffic;
  close(): Promise<void>;
}

export interface Traffic {
  /** Received copies of messages, including the first of each. */
  readonly copies: number;
  /**
   * Bytes that its connections carried, including framing. Only outgoing bytes are counted, because
   * they arrive at another process; clients of a server count both directions.
   */
  readonly bytes: number;
}

/** The processes that each process dials, all of them started before it. */
export type Plan = readonly (readonly number[])[];

export interface Kind {
  plan(nodes: number): Plan;
  /**
   * Tells whether every process is connected as planned.
   * @param links the number of links of each process.
   */
  isReady(links: readonly number[], plan: Plan): boolean;
  /**
   * Opens one process's part.
   * @param dials addresses of the processes that it dials, or of the server.
   * @param received is called once with each message of another process.
   */
  open(
    setting: { readonly nodes: number; readonly dials: readonly string[] },
    received: (message: Uint8Array) => void,
  ): Promise<Spreader>;
  /** A server that runs in addition to the processes. */
  readonly server?: { isInstalled(): boolean; start(): Promise<RunningServer> };
}

export interface RunningServer {
  readonly address: string;
  readonly pid: number;
  stop(): void;
}
