// The functions that a page of the tests of several tabs offers to Node as globals.

/** The result of a call; a call that succeeds has the code 'ok'. */
export interface Answer {
  readonly code: string;
  readonly message?: string;
  /** The length of the response. */
  readonly length?: number;
  /** The connection that the call has used. */
  readonly endpoint?: string;
  readonly direction?: string;
  readonly nodeId?: string | undefined;
}

export interface TabPage {
  /** Registers the page at a hub; resolves with its node id once others can dial it. */
  join(hub: string): Promise<string>;
  /** Dials another page, and calls it with so many bytes. */
  call(nodeId: string, method: 'echo' | 'wait', size: number): Promise<Answer>;
  /** Creates peer connections until the browser refuses; returns the name of its error. */
  fill(): string;
  /** Closes these peer connections, and collects garbage. */
  release(): void;
}
