// What Raft replicates: anything that does the same from the same commands.

/** Deterministic: equal commands in equal order give equal results, content and snapshots on every node. */
export interface StateMachine {
  /** Applies a committed command and gives its result. A command that makes no sense has a result too: throwing stops the node. */
  apply(command: Uint8Array): Uint8Array;
  /** The whole content. */
  snapshot(): Uint8Array;
  /** Replaces the whole content. */
  restore(snapshot: Uint8Array): void;
}
