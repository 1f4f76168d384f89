// The hello as a decision: what is told, what is checked, what both ends agree on (docs/wire-protocol.md §3). Pure functions.

import { reasonError, type TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { cleanText } from '../text.ts';
import type { Hello, HelloProtocol } from '../wire/hello.ts';
import type { SessionLimits, Terms } from './link.ts';

/** The version of the wire that this code speaks. */
export const WIRE_VERSION = 1;
/** What we say we are; for logs of the other end. */
export const AGENT = 'trunkline-js/0';

/** What a transport says of itself to every peer. */
export interface Introduction {
  /** 32 hex digits, drawn once a transport. */
  readonly instance: string;
  readonly network: string;
  /** Where others reach it; empty where it does not listen. */
  readonly addr: string;
  /** Its own node id, where it has one. */
  readonly nodeId: string;
}

/** Our HELLO. */
export function makeHello(
  self: Introduction,
  limits: SessionLimits,
  protocols: readonly Protocol[],
  fields: Readonly<Record<string, string>>,
  observed: string,
  features: readonly string[] = [],
): Hello {
  const { message, item, packet, calls, streams } = limits;
  const { pipe, short, long, reply, stream } = limits.credit; // How far they may grow is our own affair.
  return {
    wireMin: WIRE_VERSION,
    wireMax: WIRE_VERSION,
    instance: self.instance,
    network: self.network,
    addr: self.addr,
    agent: AGENT,
    nodeId: self.nodeId,
    protocols: protocols.map(helloProtocol),
    limits: { message, item, packet, pipe, short, long, reply, stream, calls, streams },
    features: [...features],
    observed,
    fields: { ...fields },
  };
}

/** A protocol as a HELLO tells it. */
export function helloProtocol({ name, version, accepts, channel }: Protocol): HelloProtocol {
  return { name, version, accepts: [...accepts], channel };
}

/** Why we can't talk to the sender of this HELLO; undefined where we can. */
export function judgeHello(hello: Hello, self: Introduction, proven: string | undefined, side: 'dialler' | 'acceptor'): TransportError | undefined {
  // The text is read at both ends: it says who is who by the side, not by 'we' and 'you'.
  const [peer, own] = side === 'dialler' ? ['acceptor', 'dialler'] : ['dialler', 'acceptor'];
  if (hello.wireMin > WIRE_VERSION || hello.wireMax < WIRE_VERSION) {
    return reasonError('wrong_version', `the ${peer} speaks wire versions ${hello.wireMin} to ${hello.wireMax}, the ${own} ${WIRE_VERSION}`);
  }
  if (side === 'dialler' && hello.wireMin !== hello.wireMax) {
    return reasonError('malformed', `the ${peer} answered with wire versions ${hello.wireMin} to ${hello.wireMax}; it has to name one of them`);
  }
  if (hello.network !== self.network) {
    return reasonError(
      'wrong_network',
      `the ${peer} is of network '${cleanText(hello.network)}', the ${own} of '${self.network}': give both the same 'network' option`,
    );
  }
  if (hello.nodeId !== '' && proven !== undefined && hello.nodeId !== proven) {
    return reasonError('identity_mismatch', `the ${peer} claims to be node ${hello.nodeId} and proved to be ${proven}`);
  }
  return undefined;
}

/** What the peer's limits and ours make of this connection. */
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
 * The version of a protocol on this connection: the highest that both know. A protocol that the peer's list lacks is asked for all
 * the same: the list may be under way, and the callee judges.
 */
export function agree(own: Protocol, theirs: readonly HelloProtocol[]): number | TransportError {
  const peer = theirs.find((protocol) => protocol.name === own.name);
  const squatter = theirs.find((protocol) => protocol.channel === own.channel && protocol.name !== own.name);
  if (peer !== undefined && peer.channel !== own.channel) {
    return mismatch(`protocol '${own.name}' has channel ${own.channel}`, `${peer.channel}`);
  }
  if (peer === undefined) {
    if (squatter === undefined) return own.version;
    return mismatch(`channel ${own.channel} is '${own.name}'`, `'${cleanText(squatter.name)}'`);
  }
  const known = new Set([peer.version, ...peer.accepts]);
  let best = -1;
  for (const version of [own.version, ...own.accepts]) if (version > best && known.has(version)) best = version;
  if (best >= 0) return best;
  const list = (version: number, accepts: readonly number[]) => [version, ...accepts].join(', ');
  return reasonError(
    'version_mismatch',
    `protocol '${own.name}': one end speaks version ${list(own.version, own.accepts)}, the other ${list(peer.version, peer.accepts)}; they share none`,
  );
}

function mismatch(ours: string, theirs: string): TransportError {
  return reasonError('channel_mismatch', `${ours} at one end and ${theirs} at the other: give each protocol one channel, the same everywhere`);
}
