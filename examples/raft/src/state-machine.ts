// The interface of what Raft replicates: any deterministic state machine.

/**
 * A deterministic state machine: equal commands in equal order give equal results, content and
 * snapshots on every node.
 */
export interface StateMachine {
  /**
   * Applies a committed command and returns its result. An invalid command must also have a result,
   * because an exception stops the node.
   */
  apply(command: Uint8Array): Uint8Array;
  /** Returns the whole content. */
  snapshot(): Uint8Array;
  /** Replaces the whole content. */
  restore(snapshot: Uint8Array): void;
}
