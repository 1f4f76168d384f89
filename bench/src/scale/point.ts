// A point of a curve: a load that grows, a way of carrying calls, and the figures measured.

/** The load that grows: calls in flight, connections, or the size of a message in bytes. */
export type Part = 'flight' | 'connections' | 'sizes';

export interface Point {
  readonly part: Part;
  readonly at: number;
  /** The title of the column: `limit-net` or `trunkline-tcp`. */
  readonly carrier: string;
}

/** The figures of a point; those that its part does not measure are absent. */
export interface PointFigures {
  /** Calls a second. */
  readonly rate: number;
  /** Megabytes (10^6) a second, one way. */
  readonly bulk?: number | undefined;
  /** Nanoseconds of CPU per call. */
  readonly clientCpu?: number | undefined;
  readonly serverCpu?: number | undefined;
  /** Bytes of the server per connection, for the connections added since the point before. */
  readonly rss?: number | undefined;
  readonly heap?: number | undefined;
}

export interface Measured extends Point {
  readonly figures: PointFigures;
}

/** The carrier that the others are compared with. */
export const LIMIT = 'limit-net';
export const CARRIERS: readonly string[] = [LIMIT, 'trunkline-tcp'];
