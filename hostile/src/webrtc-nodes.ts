// Honest nodes over WebRTC, their attempts, and the offer of an attacker.

import { createIdentity, type Identity } from '@trunkline/security';
import { createTransport, type Observer, serve } from '@trunkline/transport-core';
import { type Signal, webrtc } from '@trunkline/transport-webrtc';
import { echoProtocol as echo } from './echo-protocol.ts';
import type { Finding, ScenarioRun } from './scenario.ts';

/** A node over WebRTC that echoes. */
export function webRtcNode(
  run: ScenarioRun,
  signalOf: (identity: Identity) => Signal,
  observer?: Observer,
) {
  const identity = createIdentity();
  const transport = run.own(
    createTransport('webrtc://0', {
      protocol: echo,
      backends: [webrtc({ signal: signalOf(identity), identity })],
      observer,
      // On a busy machine an honest dial takes long, and an attacker's handshakes last even longer.
      dialTimeout: 20_000,
      handshakeTimeout: 60_000,
    }),
    (owned) => owned.close(),
  );
  serve(transport, { echo: (request) => request });
  return { id: identity.nodeId, transport };
}

/** Attempts something several times at once. */
export async function attempts(
  of: number,
  attempt: () => Promise<void>,
): Promise<Required<Finding>['honest'] & { reason: string }> {
  const all = await Promise.allSettled(Array.from({ length: of }, attempt));
  const failed = all.filter((one) => one.status === 'rejected');
  const [first] = failed;
  return {
    succeeded: of - failed.length,
    of,
    reason: first === undefined ? '' : String(first.reason?.message ?? first.reason),
  };
}

/** Returns the finding of a scenario whose honest peers made attempts. */
export function found(
  answer: string,
  { succeeded, of, reason }: Awaited<ReturnType<typeof attempts>>,
  flaws: readonly string[],
): Finding {
  return { answer, honest: { succeeded, of }, flaws: reason === '' ? flaws : [...flaws, reason] };
}

/** An offer that every library accepts, from an end that never answers. */
export const OFFER = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=setup:actpass
a=ice-ufrag:abcd
a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa
a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=sctp-port:5000
a=max-message-size:262144
`.replaceAll('\n', '\r\n');
