// Ways to spread messages from one process to many, measured alike.

/** One process's part in it. */
export interface Spreader {
  /** Where others reach it; empty where nobody does. */
  readonly address: string;
  /** Processes that it exchanges messages with now. */
  links(): number;
  /** May give a promise that rejects where it failed. */
  publish(message: Uint8Array): unknown;
  /** Since it was opened. */
  traffic(): Traffic;
  close(): Promise<void>;
}

export interface Traffic {
  /** Copies of messages that came, the first of each included. */
  readonly copies: number;
  /** That crossed its connections, framing included: out, as they come in elsewhere; at the clients of a server both ways. */
  readonly bytes: number;
}

/** Of each process: which of those before it it dials. */
export type Plan = readonly (readonly number[])[];

export interface Kind {
  /** As the table says what it is. */
  readonly title: string;
  plan(nodes: number): Plan;
  /** Is every process connected as it is to be? @param links of each. */
  isReady(links: readonly number[], plan: Plan): boolean;
  /**
   * @param dials addresses of those that it dials, or of the server.
   * @param received is called with each message of others, once.
   */
  open(setting: { readonly nodes: number; readonly dials: readonly string[] }, received: (message: Uint8Array) => void): Promise<Spreader>;
  /** Beside the processes. */
  readonly server?: { isInstalled(): boolean; start(): Promise<RunningServer> };
}

export interface RunningServer {
  readonly address: string;
  readonly pid: number;
  stop(): void;
}
