// The backends that may carry the chat: one line each.

import type { Identity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import type { Backend } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';

export interface Carrier {
  /** The scheme of addresses that are written without one. */
  readonly scheme: string;
  backend(identity: Identity): Backend;
}

export const CARRIERS: Readonly<Record<string, Carrier>> = {
  tcp: { scheme: 'tcp', backend: () => tcp() },
  noise: { scheme: 'tcp', backend: (identity) => secured(tcp(), { identity }) },
  ws: { scheme: 'ws', backend: () => ws() },
};

/** Adds the scheme to 'host:port', after a node id if there is one. */
export function withScheme({ scheme }: Carrier, address: string): string {
  return address.includes('://')
    ? address
    : address.replace(/^([^@]*@)?/, (id) => `${id}${scheme}://`);
}
