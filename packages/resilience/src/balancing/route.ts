// The way of one call through a balancer. The balancer keeps it on the call, for all its attempts;
// the retries around the balancer ask it whether another attempt makes sense.

import type { ClientCall } from '@trunkline/transport-core';
import { refusalOf } from '../failures.ts';
import type { AddressState } from './address-state.ts';

/**
 * Where a call that reached no server may go next. `other`: to an address that takes calls and was
 * not tried. `again`: to the same address, or to one that is down. `nowhere`: every address refuses
 * its connections for the same reason.
 */
export type Outlook = 'other' | 'again' | 'nowhere';

/** A call's way through a balancer. */
export interface Route {
  /** The addresses to which the call was sent; further attempts avoid them. */
  readonly tried: AddressState[];
  /**
   * Set by the balancer: `again` when an attempt begins, and anew when it has reached no server.
   */
  outlook: Outlook;
}

/** Returns the route of a call; creates it at the first attempt. */
export function routeOf(call: RoutedCall): Route {
  call[ROUTE] ??= { tried: [], outlook: 'again' };
  return call[ROUTE];
}

/** Returns where a call may go after an attempt that reached no server. */
export function outlookOf(call: RoutedCall, error: unknown): Outlook {
  return call[ROUTE]?.outlook ?? (refusalOf(error) === undefined ? 'again' : 'nowhere');
}

const ROUTE: unique symbol = Symbol('route');
type RoutedCall = ClientCall & { [ROUTE]?: Route };
