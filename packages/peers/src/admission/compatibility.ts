// Compares the protocols of two nodes: nodes that can't speak with each other are not peers.

import type { Protocol, TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';

/** The description of a protocol in a hello. */
export type ListedProtocol = Pick<Protocol, 'name' | 'version' | 'accepts' | 'channel'>;

/**
 * Returns the reason why the sender of a list of protocols can't be a peer, or undefined if it can.
 * Both ends see the text. @param own protocols that must agree if both ends have mounted them.
 * @param required protocols that the sender must have mounted.
 */
export function incompatibility(
  theirs: readonly ListedProtocol[],
  own: readonly Protocol[],
  required: readonly Protocol[],
): TransportError | undefined {
  for (const protocol of [...own, ...required]) {
    const { name, channel } = protocol;
    const listed = theirs.find((one) => one.name === name);
    if (listed === undefined) {
      if (!required.includes(protocol)) continue;
      return reasonError(
        'no_shared_protocol',
        `one end requires that its peers have mounted '${name}' (createPeers: require), and the other has not; mount it there`,
      );
    }
    if (listed.channel !== channel)
      return reasonError(
        'channel_mismatch',
        `protocol '${name}' has channel ${channel} at one end and ${listed.channel} at the other: give it the same channel on every node`,
      );
    const [ours, known] = [versionsOf(protocol), versionsOf(listed)];
    if (!ours.some((version) => known.includes(version)))
      return reasonError(
        'version_mismatch',
        `protocol '${name}': one end speaks version ${ours.join(', ')}, the other ${known.join(', ')}; they share none`,
      );
  }
  return undefined;
}

function versionsOf({ version, accepts }: ListedProtocol): number[] {
  return [version, ...accepts];
}
