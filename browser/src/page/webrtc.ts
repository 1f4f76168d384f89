// The suites over WebRTC: between two peer connections of one page, with signaling in its memory,
// and between a page that dials and Node.

import { systemClock } from '@trunkline/transport-core';
import { createMemorySignaling } from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';
import { collectingRtc as rtc } from './collecting-rtc.ts';
import { nodeSignal } from './node-signal.ts';
import { PageLayer } from './page-layer.ts';
import { offerSuites } from './run-cases.ts';
import { type Carrier, streamLayers, transports } from './suites.ts';

const common = {
  malformed: ['', 'two words', 'tcp://node', 'webrtc://', 'webrtc://a:1'],
  unreachable: 'webrtc://nobody',
  skipTransport: {
    'listen on an address that cannot be dialed needs an advertised address':
      'an id stands for one node, and none stands for all',
  },
};

const inPage: Carrier = {
  ...common,
  name: 'page on webrtc',
  realm: () => {
    const signaling = createMemorySignaling();
    let count = 0;
    return ({ bindAddr, advertiseAddr }, clock) => {
      const id = bindAddr?.replace('webrtc://', '') ?? `node-${++count}`;
      return createWebRtcStreamLayer({ signal: signaling.signal(id), advertiseAddr, clock, rtc });
    };
  },
};

const toNode: Carrier = {
  ...common,
  name: 'page to Node on webrtc',
  realm:
    () =>
    (place, clock = systemClock) =>
      new PageLayer(place, createWebRtcStreamLayer({ signal: nodeSignal, clock, rtc }), clock),
  skip: {
    'writes to a paused reader start to return false, and drained follows once it reads':
      'what Node accepts reaches the page over a WebSocket, which a page cannot pause',
  },
};

offerSuites({
  'stream layer': (test) => streamLayers(test, inPage),
  transport: (test) => transports(test, inPage),
  'stream layer to Node': (test) => streamLayers(test, toNode),
  'transport to Node': (test) => transports(test, toNode),
});
