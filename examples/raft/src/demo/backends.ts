// The backends that can carry the protocol. This is the only part of the demo that tells them
// apart: one line for each, and for its security.

import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { tcp } from '@trunkline/transport-tcp';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import { ws } from '@trunkline/transport-ws';
import { certified, listed } from './credentials.ts';
import { inMemory, type MakeNetwork, plain, secure } from './network.ts';
import { overNats } from './over-nats.ts';

export const BACKENDS: Readonly<Record<string, MakeNetwork>> = {
  inmem: inMemory,
  tcp: plain('tcp://127.0.0.1:0', () => tcp()),
  ws: plain('ws://127.0.0.1:0', () => ws()),
  tls: secure('tcp://127.0.0.1:0', certified, ({ tls }) => tcp({ tls })),
  wss: secure('wss://127.0.0.1:0', certified, ({ tls }) => ws({ tls })),
  noise: secure('tcp://127.0.0.1:0', listed, ({ identity, allow }) =>
    secured(tcp(), { identity, allow }),
  ),
  webrtc: (places) => {
    const signaling = createMemorySignaling();
    const backend = () => {
      const identity = createIdentity();
      return webrtc({ signal: signaling.signal(identity.nodeId), identity });
    };
    return plain('webrtc://0', backend)(places);
  },
  nats: overNats(1),
  'nats-cluster': overNats(3),
};
