// A transport whose targets are node ids. Tested in access.test.ts.

import type { AnyTransport, MountOptions, Protocol, Transport } from '@trunkline/transport-core';

/**
 * Mounts a protocol with node ids as targets. For the transport's own protocol, this wraps the
 * transport itself.
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
 * Returns a mount whose own address is this node's id. It is the given mount in all else: a target
 * is another node's id, either plain or as `node:<id>`, or any other target.
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
 * engine, which transport-core finds by symbols.
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
