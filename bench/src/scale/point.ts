// One point of a curve: something that grows, a way of carrying calls, and what was measured there.

/** What grows: calls in flight, connections, or the size of a message in bytes. */
export type Part = 'flight' | 'connections' | 'sizes';

export interface Point {
  readonly part: Part;
  readonly at: number;
  /** The column: `limit-net` or `trunkline-tcp`. */
  readonly carrier: string;
}

/** Absent is what is not told there. */
export interface PointFigures {
  /** Calls a second. */
  readonly rate: number;
  /** Megabytes (10^6) a second, one way. */
  readonly bulk?: number | undefined;
  /** Nanoseconds of CPU a call. */
  readonly clientCpu?: number | undefined;
  readonly serverCpu?: number | undefined;
  /** Bytes of the server for each connection, of those between the point before and this one. */
  readonly rss?: number | undefined;
  readonly heap?: number | undefined;
}

export interface Measured extends Point {
  readonly figures: PointFigures;
}

/** What the others are compared with. */
export const LIMIT = 'limit-net';
export const CARRIERS: readonly string[] = [LIMIT, 'trunkline-tcp'];
