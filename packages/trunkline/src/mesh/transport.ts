// The transport of a node: its observers, its name, and its proven connections.

import { secured } from '@trunkline/security/noise';
import {
  type Backend,
  combineObservers,
  type Protocol,
  type Remote,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { defaultBackends } from '#backends';
import { createTransport } from '../create-transport.ts';
import type { NodeTransportOptions } from './options.ts';
import type { NodeConfig } from './read-options.ts';

/** Creates the transport, which does not listen yet. */
export function openTransport(config: NodeConfig): Transport<Protocol> {
  const { address, protocol, parts, transport: given } = config;
  const observers = [given, ...parts].flatMap(({ observer }) => observer ?? []);
  const options = {
    ...given,
    protocol,
    backends: backendsOf(config),
    observer: observers.length === 0 ? undefined : combineObservers(...observers),
    name: config.name ?? given.name,
    admit: config.identity === undefined ? given.admit : onlyProven(given.admit),
  };
  try {
    if (config.createTransport !== undefined) return config.createTransport(address, options);
    return address === undefined ? createTransport(options) : createTransport(address, options);
  } catch (error) {
    if (!(error instanceof TransportError && error.code === 'invalid_argument')) throw error;
    const text = error.message.replace(/^createTransport: /, '');
    throw new TypeError(`createTransport: address: ${text}`, { cause: error });
  }
}

/** Returns the given backends, otherwise the default ones: with an identity, all over noise. */
function backendsOf({ backends, identity }: NodeConfig): readonly Backend[] {
  if (backends !== undefined) return backends;
  const plain = defaultBackends();
  return identity === undefined ? plain : plain.map((backend) => secured(backend, { identity }));
}

/**
 * Refuses connections that prove no node id, over any backend, so that a node with an identity has
 * no plain connection.
 */
function onlyProven(admit: NodeTransportOptions['admit']): (remote: Remote) => unknown {
  return (remote) => {
    if (remote.nodeId !== undefined) return admit?.(remote);
    throw new TransportError(
      'unauthenticated',
      `a node with an identity takes only connections that prove a node id, and the one with ${remote.endpoint} proves none; secure the backend, as in secured(tcp(), { identity }), or omit the identity`,
    );
  };
}
