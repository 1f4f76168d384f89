// A transport whose targets are node ids. Tested in access.test.ts.

import type { AnyTransport, MountOptions, Protocol, Transport } from '@trunkline/transport-core';

/**
 * Mounts a protocol with node ids as targets. For the transport's own protocol, this wraps the
 * transport itself, and throws a TypeError if any option is given.
 */
export function nodeTransport<P extends Protocol>(
  transport: AnyTransport,
  protocol: P,
  nodeId: string,
  options: MountOptions = {},
): Transport<P> {
  if ((transport.protocol as Protocol) !== protocol)
    return namedTransport(transport.mount(protocol, options), nodeId);
  const given = Object.entries(options).find(([, value]) => value !== undefined)?.[0];
  if (given !== undefined)
    throw new TypeError(
      `peers.transport: '${protocol.name}' is the transport's own protocol, which takes no options; ${given === 'drains' ? 'except it from drain' : `give ${given} to serve`}`,
    );
  return namedTransport(transport as unknown as Transport<P>, nodeId);
}

/**
 * Returns the given mount with this node's id as its own address. Targets are not converted: the
 * transport's `Dialer` recognizes a node's id, plain or as `node:<id>`, and asks the membership.
 */
export function namedTransport<P extends Protocol>(
  mount: Transport<P>,
  nodeId: string,
): Transport<P> {
  const localAddr = () => {
    mount.localAddr(); // Throws before the transport listens, as every transport does.
    return nodeId;
  };
  return {
    ...membersOf(mount),
    localAddr,
    localAddrs: () => [localAddr()],
    advertiseAddr: () => {
      mount.advertiseAddr();
      return nodeId;
    },
    mount: (protocol, options) => namedTransport(mount.mount(protocol, options), nodeId),
    snapshot: () => {
      const snapshot = mount.snapshot();
      return { ...snapshot, localAddrs: snapshot.localAddrs.length === 0 ? [] : [nodeId] };
    },
  };
}

/**
 * Returns the members of a transport, its methods bound to it. Among them are its inbox and its
 * engine, which transport-core finds by symbols. A getter is read only once, here.
 */
function membersOf<T extends object>(transport: T): T {
  const members = Object.create(null);
  let owner: object | null = transport;
  for (; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner))
    for (const key of Reflect.ownKeys(owner)) {
      const member: unknown = Reflect.get(transport, key);
      members[key] ??= typeof member === 'function' ? member.bind(transport) : member;
    }
  return members;
}
