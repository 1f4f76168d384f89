// The messages between the process of the test and the processes of the nodes.

/** The task of a process that runs a node; it is the only argument, as JSON. */
export interface NodeTask {
  readonly name: string;
  /** The number of the node's life: 1, 2, 3 ... */
  readonly life: number;
  readonly seed: number;
  /** The URL of the module with the scenario. */
  readonly scenario: string;
  /** The URL of the network module; undefined for TCP. */
  readonly network: string | undefined;
  /** The result of the network's `prepare`. */
  readonly prepared: unknown;
  /** The folder of the node's store. */
  readonly folder: string;
}

/** A message of a node. */
export type FromNode =
  /** The setup has finished. */
  | { readonly type: 'ready' }
  /** A problem has occurred that fails the run. */
  | { readonly type: 'failed'; readonly text: string }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'state'; readonly state: string }
  /** A transport listens; the message contains its name in the scenario and its real address. */
  | { readonly type: 'listening'; readonly target: string; readonly address: string }
  /** Asks for the real address to dial for a target. */
  | { readonly type: 'resolve'; readonly id: number; readonly target: string };

/** A message to a node. */
export type ToNode =
  /** Answers `resolve`; undefined means that no transport has ever listened on the target. */
  | { readonly type: 'resolved'; readonly id: number; readonly address: string | undefined }
  /**
   * Calls the function that the setup returned, and closes the transports without grace; then the
   * process ends. Answers to `resolve` no longer arrive.
   */
  | { readonly type: 'stop' };
