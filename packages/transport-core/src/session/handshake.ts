// The decisions of the hello: what this end announces, what it checks, and what both ends agree on
// (docs/wire-protocol.md §3). All functions are pure.

import { reasonError, type TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { cleanText } from '../text.ts';
import type { Hello, HelloProtocol } from '../wire/hello.ts';
import type { SessionLimits, Terms } from './session-context.ts';

/** The version of the wire protocol that this code speaks. */
export const WIRE_VERSION = 1;
/** The name of this software in our HELLO, for the logs of the other end. */
export const AGENT = 'trunkline-js/0';

/** Information that a transport gives to every peer. */
export interface Introduction {
  /** 32 hex digits, drawn once for each transport. */
  readonly instance: string;
  readonly network: string;
  /** The address at which others reach it; empty if it does not listen. */
  readonly addr: string;
  /** Its own node id; empty if it has none. */
  readonly nodeId: string;
}

/** The state of this end that its HELLO announces. */
export interface Announced {
  readonly self: Introduction;
  readonly limits: SessionLimits;
  readonly mounts: ReadonlyMap<number, { readonly protocol: Protocol }>;
  readonly observed: string;
}

/** Builds our HELLO. */
export function makeHello(
  { self, limits, mounts, observed }: Announced,
  fields: Readonly<Record<string, string>>,
  features: readonly string[] = [],
): Hello {
  const { message, item, packet, calls, streams } = limits;
  // The limits of window growth are local and are not announced.
  const { pipe, short, long, reply, stream } = limits.credit;
  return {
    wireMin: WIRE_VERSION,
    wireMax: WIRE_VERSION,
    instance: self.instance,
    network: self.network,
    addr: self.addr,
    agent: AGENT,
    nodeId: self.nodeId,
    protocols: [...mounts.values()].map(({ protocol }) => helloProtocol(protocol)),
    limits: { message, item, packet, pipe, short, long, reply, stream, calls, streams },
    features: [...features],
    observed,
    fields: { ...fields },
  };
}

/** Returns the description of a protocol in a HELLO. */
export function helloProtocol({ name, version, accepts, channel }: Protocol): HelloProtocol {
  return { name, version, accepts: [...accepts], channel };
}

/** Returns the reason why this end can't talk to the sender of a HELLO; undefined if it can. */
export function judgeHello(
  hello: Hello,
  self: Introduction,
  proven: string | undefined,
  side: 'dialer' | 'acceptor',
): TransportError | undefined {
  // Both ends read this text, so it says 'dialer' and 'acceptor' instead of 'we' and 'you'.
  const [peer, own] = side === 'dialer' ? ['acceptor', 'dialer'] : ['dialer', 'acceptor'];
  if (hello.wireMin > WIRE_VERSION || hello.wireMax < WIRE_VERSION) {
    return reasonError(
      'wrong_version',
      `the ${peer} speaks wire versions ${hello.wireMin} to ${hello.wireMax}, the ${own} speaks ${WIRE_VERSION}`,
    );
  }
  if (side === 'dialer' && hello.wireMin !== hello.wireMax) {
    return reasonError(
      'malformed',
      `the ${peer} answered with wire versions ${hello.wireMin} to ${hello.wireMax}; it must name exactly one`,
    );
  }
  if (hello.network !== self.network) {
    return reasonError(
      'wrong_network',
      `the ${peer} is in network '${cleanText(hello.network)}', the ${own} in '${self.network}': give both the same 'network' option`,
    );
  }
  if (hello.nodeId !== '' && proven !== undefined && hello.nodeId !== proven) {
    return reasonError(
      'identity_mismatch',
      `the ${peer} claims to be node ${hello.nodeId}, but proved to be ${proven}`,
    );
  }
  return undefined;
}

/** Merges the peer's limits with ours into the terms of this connection. */
export function settle(terms: Terms, hello: Hello): void {
  const { limits } = hello;
  terms.packet = Math.min(terms.packet, limits.packet);
  terms.message = limits.message;
  terms.item = limits.item;
  terms.calls = Math.min(terms.calls, limits.calls);
  terms.streams = Math.min(terms.streams, limits.streams);
  terms.short = limits.short;
  terms.long = limits.long;
  terms.stream = limits.stream;
}

/**
 * Returns the version of a protocol to speak on this connection: the highest that both ends know. A
 * protocol that is missing in the peer's list is used all the same, because a new list may be on
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
