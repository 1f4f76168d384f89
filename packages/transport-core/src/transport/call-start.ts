// Checks the targets of outgoing calls, and starts calls on the connection of a Remote.

import { reasonError, TransportError, withDetails } from '../errors.ts';
import { type Call, nameOf } from '../rpc/call.ts';
import { Connection } from '../stream/connection.ts';
import { LiveRemote } from '../stream/remote.ts';
import type { TransportEngine } from './engine.ts';
import type { Target } from './types.ts';

/**
 * Returns the connection behind a Remote.
 *
 * @throws TypeError if it does not belong to this transport.
 */
export function connectionOf(engine: TransportEngine, target: Target): Connection {
  const link =
    typeof target === 'object' && target !== null ? LiveRemote.linkOf(target) : undefined;
  if (link instanceof Connection && link.host === engine) return link;
  const what =
    link === undefined
      ? typeof target === 'object'
        ? 'another object'
        : String(target)
      : 'a Remote of another transport';
  throw new TypeError(`a target is an address, or a Remote of this transport; got ${what}`);
}

/** Adds `sent: false` and the target to the error of a call that could not be started. */
export function unsent(error: unknown, target: Target): unknown {
  return error instanceof TransportError
    ? withDetails(error, { sent: false, target: nameOf(target) })
    : error;
}

export function startOn(remote: Connection, call: Call<unknown>): void {
  if (remote.isUp) remote.caller.start(call);
  else call.failed(lost(call.target));
}

export function lost(endpoint: string): TransportError {
  return reasonError(
    'disconnected',
    `the connection to ${endpoint} is gone; a Remote can be reached only over its own connection`,
    {
      target: endpoint,
      sent: false,
    },
  );
}
