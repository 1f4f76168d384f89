// The properties of every view.

import type { NetworkState } from '../../network-state.ts';
import type { Session } from '../session.ts';

export interface ViewProperties {
  readonly session: Session;
  /** The shown moment. */
  readonly network: NetworkState;
  /** The moment at which the rates begin. */
  readonly before: NetworkState | undefined;
  /** The chosen node; undefined for all. */
  readonly node: string | undefined;
}
