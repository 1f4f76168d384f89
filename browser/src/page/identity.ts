// The identity suite in a page: Noise over WebRTC, between two peer connections of the page, and
// between a page that dials and Node.

import { createIdentity, type Identity } from '@trunkline/security';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { type Clock, systemClock } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import {
  createTransitWatch,
  identitySuite,
  type TransportTest,
} from '@trunkline/transport-testkit';
import { createMemorySignaling } from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';
import { collectingRtc } from './collecting-rtc.ts';
import { nodeSignal } from './node-signal.ts';
import { PageLayer } from './page-layer.ts';
import { LOST_AFTER, offerSuites, STALL_TIMEOUT, skipping } from './run-cases.ts';

type CreateLayer = (clock?: Clock, address?: string) => StreamLayer;

const transit = createTransitWatch({ lostAfter: LOST_AFTER });
const signaling = createMemorySignaling();
let ids = 0;

const inPage: CreateLayer = (clock, address) => {
  const id = address?.replace('webrtc://', '') ?? `node-${++ids}`;
  return transit.watch(
    createWebRtcStreamLayer({ signal: signaling.signal(id), clock, rtc: collectingRtc }),
  );
};

const toNode: CreateLayer = (clock = systemClock, bindAddr = undefined) =>
  transit.watch(
    new PageLayer(
      { bindAddr },
      createWebRtcStreamLayer({ signal: nodeSignal, clock, rtc: collectingRtc }),
      clock,
    ),
  );

function identities(test: TransportTest, name: string, layer: CreateLayer): void {
  const isSlow = (title: string) =>
    layer === toNode && MANY_HANDSHAKES.some((text) => title.includes(text));
  identitySuite<Identity>(skipping(test, SLOW, isSlow).serial!, {
    name,
    credentials: async (type) => createIdentity({ type }),
    transport(identity, options, { lists, address }) {
      const { clock } = options;
      const stream = createNoiseStreamLayer(layer(clock, address), { identity, clock, ...lists });
      return {
        transport: new NetworkTransport({ ...options, stream }),
        update: async ({ allow, deny }) => stream.updatePeers({ allow, deny }),
      };
    },
    layer: (identity) => createNoiseStreamLayer(layer(), { identity }),
    plain: {
      transport: (options) => new NetworkTransport({ ...options, stream: layer(options.clock) }),
    },
    impostors: {
      'signs with a key of its own': async (victim) =>
        impostor(victim, (message) => createIdentity({ type: victim.type }).sign(message)),
      'sends zeros as a signature': async (victim) => impostor(victim, () => new Uint8Array(64)),
      'sends a signature that the victim made of other data': async (victim) =>
        impostor(victim, () => victim.sign(new TextEncoder().encode('hello'))),
    },
    stallTimeout: STALL_TIMEOUT,
    beneath: { layer: () => layer(), dialsWait: layer === inPage, isBusy: transit.isBusy },
  });
}

/** Returns an identity with the victim's public key and another signing function. */
function impostor(victim: Identity, sign: Identity['sign']): Identity {
  const { nodeId, type, publicKey, key, verify } = victim;
  return { nodeId, type, publicKey, key, sign, verify };
}

/** Cases that make a connection for each byte or for many bits of a handshake. */
const MANY_HANDSHAKES = ['at any byte', 'at any tenth byte', 'bit'];
const SLOW = 'hundreds of handshakes between two processes take minutes; they run in one page';

offerSuites({
  identity: (test) => identities(test, 'page on noise over webrtc', inPage),
  'identity to Node': (test) => identities(test, 'page to Node on noise over webrtc', toNode),
});
