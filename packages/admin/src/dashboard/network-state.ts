// The state of all watched nodes, as the page receives it.

import type { NodeState } from '../state/node-state.ts';

/** The watched nodes at one moment, as plain JSON. */
export interface NetworkState {
  /** The time on the clock of the dashboard, in milliseconds. */
  readonly at: number;
  /** Whether the dashboard refuses all changes. */
  readonly readonly: boolean;
  /** The nodes by name: the address or node id by which the dashboard reaches them. */
  readonly nodes: Readonly<Record<string, WatchedNode>>;
}

/** A watched node. */
export interface WatchedNode {
  /** 'connecting' before the first state, 'lost' while the dashboard can't reach the node. */
  readonly status: 'connecting' | 'up' | 'lost';
  /** The reason why the node is lost. */
  readonly error?: string | undefined;
  /** The last state; absent before the first. */
  readonly state?: NodeState | undefined;
}
