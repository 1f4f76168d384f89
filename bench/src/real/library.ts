// The interface of each measured library: a server in one process, a client in another.

import type { Serving } from '../adapters/adapter.ts';
import type { Order, Page, Small } from './work.ts';

export type Carrier = 'TCP' | 'TLS' | 'Noise';

export interface Library {
  /** Serves `service`. */
  serve(carrier: Carrier): Promise<Serving>;
  /** Opens one connection to that server. */
  connect(carrier: Carrier, address: string): Promise<Client>;
}

export interface Client {
  echo(request: Small): Promise<Small>;
  place(request: Order): Promise<Order>;
  list(request: Page): Promise<Order[]>;
  /** Passes each item of the download to `take`, and returns after the last one. */
  items(request: Page, take: (item: Small) => void): Promise<void>;
  close(): Promise<void>;
}

export const BARE = 'bare socket';
export const OURS = 'Trunkline';
