// The suites over WebRTC: between two peer connections of one page, with signaling in its memory,
// and between a page that dials and Node.

import { type Clock, systemClock } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import {
  createTransitWatch,
  streamLayerSuite,
  type TransportTest,
  transportSuite,
} from '@trunkline/transport-testkit';
import { createMemorySignaling } from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';
import type { Place } from '../node-calls.ts';
import { collectingRtc } from './collecting-rtc.ts';
import { nodeSignal } from './node-signal.ts';
import { PageLayer } from './page-layer.ts';
import { LOST_AFTER, offerSuites, STALL_TIMEOUT } from './run-cases.ts';

type CreateLayer = (place: Place, clock?: Clock) => StreamLayer;

/** Returns a function that creates layers of one realm in the page, each with an id of its own. */
function createRealm(): CreateLayer {
  const signaling = createMemorySignaling();
  let count = 0;
  return ({ bindAddr, advertiseAddr }, clock) => {
    const id = bindAddr?.replace('webrtc://', '') ?? `node-${++count}`;
    return createWebRtcStreamLayer({
      signal: signaling.signal(id),
      advertiseAddr,
      clock,
      rtc: collectingRtc,
    });
  };
}

/** Returns a function that creates layers which dial from the page and listen in Node. */
function createPair(): CreateLayer {
  return (place, clock = systemClock) =>
    new PageLayer(
      place,
      createWebRtcStreamLayer({ signal: nodeSignal, clock, rtc: collectingRtc }),
      clock,
    );
}

function streamLayers(test: TransportTest, name: string, create: () => CreateLayer): void {
  streamLayerSuite(test, {
    name,
    stallTimeout: STALL_TIMEOUT,
    make: ({ clock }) => {
      const layer = create();
      return {
        layer: (bindAddr, advertiseAddr) => layer({ bindAddr, advertiseAddr }, clock),
        malformed: ['', 'two words', 'tcp://node', 'webrtc://', 'webrtc://a:1'],
      };
    },
    skip:
      create === createRealm
        ? {}
        : {
            'writes to a paused reader start to return false, and drained follows once it reads':
              BRIDGED,
          },
  });
}

function transports(test: TransportTest, name: string, create: () => CreateLayer): void {
  const layer = create();
  const transit = createTransitWatch({ lostAfter: LOST_AFTER });
  transportSuite(test, {
    name,
    create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
      const stream = transit.watch(layer({ bindAddr, advertiseAddr }, options.clock));
      return new NetworkTransport({ ...options, stream: wrap?.(stream) ?? stream });
    },
    isBusy: transit.isBusy,
    stallTimeout: STALL_TIMEOUT,
    unreachable: () => 'webrtc://nobody',
    skip: {
      'listen on an address that cannot be dialed needs an advertised address':
        'an id stands for one node, and none stands for all',
      'hundreds of transports that open, call and close leave no handles and no heap behind': PROBE,
      'hundreds of connections that open and close leave nothing behind at either end': PROBE,
    },
  });
}

const BRIDGED = 'what Node accepts reaches the page over a WebSocket, which a page cannot pause';
const PROBE = 'pages have no probe of handles, and a thousand cycles take a minute';

offerSuites({
  'stream layer': (test) => streamLayers(test, 'page on webrtc, streams', createRealm),
  transport: (test) => transports(test, 'page on webrtc', createRealm),
  'stream layer to Node': (test) =>
    streamLayers(test, 'page to Node on webrtc, streams', createPair),
  'transport to Node': (test) => transports(test, 'page to Node on webrtc', createPair),
});
