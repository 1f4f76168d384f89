// The changes that tools may make to a node.

import { drain } from '@trunkline/resilience/health';
import { type Handlers, type Remote, TransportError } from '@trunkline/transport-core';
import { parseTarget } from '@trunkline/transport-core/backend';
import type { adminProtocol } from './protocol.ts';
import type { AdminSources, PeersSource } from './state/sources.ts';

type Admin = typeof adminProtocol;

/**
 * Returns the handlers of the methods that change a node. With `readonly`, they refuse all calls
 * with `permission_denied`.
 */
export function actions(sources: AdminSources, readonly: boolean): Handlers<Admin> {
  const { transport, log } = sources;
  const handlers = {
    disconnect: async ({ connection, target, reason }, { from }) => {
      const remotes = matching(transport.remotes(), connection, target);
      await Promise.all(
        remotes.map((remote) => {
          const closed = transport.disconnect(remote, reason);
          // The tool's own connection closes only after this call has ended.
          return remote !== from && closed;
        }),
      );
      return { connections: remotes.length };
    },
    ban: ({ nodeId, time, reason }) => {
      peersOf(sources).ban(nodeId, time, reason);
      return {};
    },
    unban: ({ nodeId }) => {
      peersOf(sources).unban(nodeId);
      return {};
    },
    drain: async ({ grace }) => {
      // This call is not waited for: a drain does not count calls of Trunkline's own protocols.
      await drain(transport, { grace });
      return {};
    },
    logLevel: ({ level }) => {
      if (log === undefined)
        throw new TransportError(
          'failed_precondition',
          "this node has no log whose level can be set: pass 'log' to admin.serve",
        );
      const before = log.level;
      log.level = level;
      return { before };
    },
  } satisfies Handlers<Admin>;
  return readonly
    ? (Object.fromEntries(Object.keys(handlers).map((name) => [name, refuse])) as Handlers<Admin>)
    : handlers;
}

function refuse(): never {
  throw new TransportError(
    'permission_denied',
    'this node lets tools only read: create its admin with readonly: false to let them change it',
    { reason: 'denied' },
  );
}

function peersOf({ peers }: AdminSources): PeersSource {
  if (peers !== undefined) return peers;
  throw new TransportError(
    'failed_precondition',
    "this node has no peers that could be banned: pass 'peers' to admin.serve",
  );
}

/**
 * Returns the connection with an id, or all connections to a target (a node id or an address).
 * Throws `invalid_argument` unless exactly one of the two is given and well-formed, and `not_found`
 * if there is no such connection.
 */
function matching(
  remotes: readonly Remote[],
  connection: string | undefined,
  target: string | undefined,
): Remote[] {
  if ((connection === undefined) === (target === undefined))
    throw new TransportError('invalid_argument', 'disconnect: give either connection or target');
  const key = target === undefined ? undefined : parseTarget(target).key;
  const found = remotes.filter(({ id, nodeId, addr = '', endpoint }) => {
    if (connection !== undefined) return id === connection;
    if (nodeId === target) return true;
    return [endpoint, ...addr.split(',')].some((address) => {
      try {
        return parseTarget(address).key === key;
      } catch {
        return false; // The peer has advertised a malformed address, or none.
      }
    });
  });
  if (found.length > 0) return found;
  const wanted = connection === undefined ? 'to this target' : `'${connection}' that is up`;
  throw new TransportError('not_found', `disconnect: there is no connection ${wanted}`);
}
