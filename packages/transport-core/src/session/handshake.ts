// The decisions of the hello: the values that this end announces, and the checks that it makes
// (docs/wire-protocol.md §3). All functions are pure.

import { reasonError, type TransportError } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { cleanText } from '../text.ts';
import { type Hello, helloProtocol, type Introduction } from '../wire/hello.ts';
import type { SessionLimits } from './session-context.ts';

/** The version of the wire protocol that this code speaks. */
export const WIRE_VERSION = 1;
/** The name of this software in our HELLO, for the logs of the other end. */
export const AGENT = 'trunkline-js/0';

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
