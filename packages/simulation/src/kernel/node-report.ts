// The report that a failing run shows of each node: its state at one moment, as plain data.

/** A node or client at one moment, for example when a run failed. */
export interface NodeReport {
  readonly name: string;
  readonly kind: 'node' | 'client';
  readonly up: boolean;
  /** The last state that it reported with `state`; undefined if it has none, or is down. */
  readonly state?: string | undefined;
  /** The last lines that it logged, oldest first; at most 20. Crashes do not remove them. */
  readonly log: readonly {
    /** Virtual milliseconds since the simulation began. */
    readonly at: number;
    readonly text: string;
  }[];
  /**
   * The calls in flight that it has made, oldest first; at most 50. Empty unless the simulation
   * records (option `record`), as `explore` does for a failure that it reports.
   */
  readonly calls: readonly {
    /** The protocol and the method: 'election/vote'. */
    readonly method: string;
    /** The target, as the caller gave it. */
    readonly to: string;
    /** The virtual time of the call, in milliseconds since the simulation began. */
    readonly since: number;
  }[];
  /**
   * Sentences about everything that the node waits for: answers, dials, operations of its store,
   * and readers.
   */
  readonly waits: readonly string[];
  /** The first 100 entries on its disk. */
  readonly disk: readonly {
    readonly key: string;
    /** The size of the value in bytes. */
    readonly size: number;
    /** The beginning of the value: text in quotes, or hexadecimal digits after '0x'. */
    readonly value: string;
    /** True if the value would survive a crash now. */
    readonly synced: boolean;
  }[];
  /** The number of further entries on its disk. */
  readonly moreOnDisk: number;
  /** The number of changes that its disk has not synced yet. */
  readonly unsynced: number;
}

/** A line that a node logged. */
export type LogLine = NodeReport['log'][number];
/** A call that a node has made and that has not settled. */
export type OpenCall = NodeReport['calls'][number];
/** An entry on the disk of a node. */
export type DiskEntry = NodeReport['disk'][number];
