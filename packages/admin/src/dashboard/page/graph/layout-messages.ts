// The messages between the page and the worker that lays out the graph.

/** A graph to lay out. Nodes are numbered by their place in `keys`. */
export interface LayoutRequest {
  readonly keys: readonly string[];
  readonly links: readonly (readonly [from: number, to: number])[];
}

/** The places of the nodes of a graph: the x and y of each node, in the order of the request. */
export interface LayoutReply {
  /** The number of the request that this reply answers; the first request is 1. */
  readonly request: number;
  readonly places: Float32Array;
}
