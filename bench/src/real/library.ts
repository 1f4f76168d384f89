// The interface of each measured library: a server in one process, a client in another.

import type { Order, Page, Small } from './work.ts';

export const CARRIERS = ['TCP', 'TLS', 'Noise'] as const;
export type Carrier = (typeof CARRIERS)[number];

export interface Library {
  /** Serves `service` and returns the address. Its process ends by a signal. */
  serve(carrier: Carrier): Promise<string>;
  /** Opens one connection to that server. */
  connect(carrier: Carrier, address: string): Promise<Client>;
}

export interface Client {
  echo(request: Small): Promise<Small>;
  place(request: Order): Promise<Order>;
  list(request: Page): Promise<Order[]>;
  /** Passes each item of the download to `take`, and returns after the last one. */
  items(request: Page, take: (item: Small) => void): Promise<void>;
}

export const BARE = 'bare socket';
export const OURS = 'Trunkline';
