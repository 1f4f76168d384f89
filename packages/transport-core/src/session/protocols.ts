// The protocols of both ends of a connection, and their agreement on the version of each
// (docs/wire-protocol.md §3).
//
// Owns the peer's list and the disagreements that were reported. The channels pass it the lists.

import { reasonError, TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { cleanText } from '../text.ts';
import { encodeProtocols, type HelloProtocol, helloProtocol } from '../wire/hello.ts';

/** The protocols that each end has mounted. */
export class ProtocolLists {
  /** The peer's protocols as it last announced them. */
  theirs: readonly HelloProtocol[] = [];
  /**
   * Our protocols whose disagreement was reported; there are at most as many as were ever mounted.
   */
  #told: readonly string[] = NONE;
  readonly #mounts: ReadonlyMap<number, { readonly protocol: Protocol }>;

  constructor(mounts: ReadonlyMap<number, { readonly protocol: Protocol }>) {
    this.#mounts = mounts;
  }

  /** Stores the list of the peer. */
  learn(theirs: readonly HelloProtocol[]): void {
    this.theirs = theirs;
  }

  /** Encodes our list and our address, to be sent to the peer. */
  encode(addr: string): Uint8Array {
    const protocols = [...this.#mounts.values()].map((mount) => helloProtocol(mount.protocol));
    return encodeProtocols({ protocols, addr });
  }

  /**
   * Returns the protocols that both ends have mounted but in incompatible ways. Each one is
   * returned only once.
   */
  disagreements(): { readonly protocol: string; readonly error: TransportError }[] {
    const found: { protocol: string; error: TransportError }[] = [];
    for (const { protocol } of this.#mounts.values()) {
      const agreed = agree(protocol, this.theirs);
      if (!(agreed instanceof TransportError) || this.#told.includes(protocol.name)) continue;
      this.#told = [...this.#told, protocol.name];
      found.push({ protocol: protocol.name, error: agreed });
    }
    return found;
  }

  /**
   * Returns an error if no protocol mounted here can be spoken with the peer. Returns undefined if
   * one can, or if the peer has not announced any protocol yet.
   */
  nothingShared(): TransportError | undefined {
    let why: TransportError | undefined;
    const [own, theirs] = [[...this.#mounts.values()].map(({ protocol }) => protocol), this.theirs];
    if (theirs.length === 0) return undefined;
    for (const protocol of own) {
      const agreed = agree(protocol, theirs);
      if (agreed instanceof TransportError) why ??= agreed;
      else if (theirs.some(({ name }) => name === protocol.name)) return undefined;
    }
    const names = (list: readonly { readonly name: string }[]) =>
      list.map(({ name }) => `'${name}'`).join(', ');
    return (
      why ??
      reasonError(
        'no_shared_protocol',
        `one end has mounted ${names(own)}, the other ${names(theirs)}: they share no protocol`,
      )
    );
  }
}

/**
 * Returns the version of a protocol to speak on this connection: the highest that both ends know. A
 * protocol that is missing from the peer's list is used nevertheless, because a new list may be on
 * its way; the callee decides.
 */
export function agree(own: Protocol, theirs: readonly HelloProtocol[]): number | TransportError {
  const peer = theirs.find((protocol) => protocol.name === own.name);
  const squatter = theirs.find(
    (protocol) => protocol.channel === own.channel && protocol.name !== own.name,
  );
  if (peer !== undefined && peer.channel !== own.channel) {
    return mismatch(`protocol '${own.name}' has channel ${own.channel}`, `${peer.channel}`);
  }
  if (peer === undefined) {
    if (squatter === undefined) return own.version;
    return mismatch(`channel ${own.channel} is '${own.name}'`, `'${cleanText(squatter.name)}'`);
  }
  const known = new Set([peer.version, ...peer.accepts]);
  let best = -1;
  for (const version of [own.version, ...own.accepts])
    if (version > best && known.has(version)) best = version;
  if (best >= 0) return best;
  const list = (version: number, accepts: readonly number[]) => [version, ...accepts].join(', ');
  return reasonError(
    'version_mismatch',
    `protocol '${own.name}': one end speaks version ${list(own.version, own.accepts)}, the other ${list(peer.version, peer.accepts)}; they share none`,
  );
}

function mismatch(ours: string, theirs: string): TransportError {
  return reasonError(
    'channel_mismatch',
    `${ours} at one end and ${theirs} at the other: give each protocol the same channel on every node`,
  );
}

/** Shared, because most connections have nothing to report. */
const NONE: readonly string[] = [];
