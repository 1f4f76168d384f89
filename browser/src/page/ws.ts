// The suites over WebSocket: the page dials, Node listens, and the page has the transports of both
// ends.

import { type Clock, type ClockTimer, systemClock } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import {
  createTransitWatch,
  streamLayerSuite,
  type TransportTest,
  transportSuite,
} from '@trunkline/transport-testkit';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import type { Place } from '../node-calls.ts';
import { PageLayer } from './page-layer.ts';
import { LOST_AFTER, offerSuites, STALL_TIMEOUT } from './run-cases.ts';

const HIDDEN = 'a browser does not tell pages why a dial failed';
const BUFFERS = 'the browser decides how much it buffers';
const UNPAUSED = 'a page cannot pause a WebSocket, so the browser keeps what arrives';
const OWN = "the user's server owns the port";
const PROBE = 'pages have no probe of handles, and a thousand cycles take a minute';

const owned = {
  'listen on an address in use fails with address_in_use, and the first layer continues': OWN,
  'a layer whose listen failed can listen after the address is free': OWN,
};

/** Returns a layer that dials with the browser's own WebSocket. */
function layer(place: Place, clock: Clock = systemClock): StreamLayer {
  const { advertiseAddr } = place;
  return new PageLayer(
    place,
    createWsStreamLayer({ advertiseAddr, clock: withRealPolls(clock) }),
    clock,
  );
}

/** @param isSecure the layers share an https server of the test. */
function streamLayers(test: TransportTest, name: string, isSecure: boolean): void {
  streamLayerSuite(test, {
    name,
    stallTimeout: STALL_TIMEOUT,
    make: ({ clock }) => ({
      layer: (bindAddr, advertiseAddr) => layer({ bindAddr, advertiseAddr }, clock),
      malformed: ['', '127.0.0.1:7000', 'tcp://127.0.0.1:7000', 'ws://127.0.0.1:0/'],
    }),
    skip: {
      'a dial to an address without a listener fails with connection_refused and names the address':
        HIDDEN,
      ...(isSecure ? owned : {}),
      'close frees the address, and a dial to it is refused': HIDDEN,
      'writes to a paused reader start to return false, and drained follows once it reads': BUFFERS,
      'a paused connection does not stop others of the same two layers': BUFFERS,
      'a flood after close is cut off at 256 KiB':
        'a page cannot limit the data that arrives after close, only the time',
      'back-pressure applies to writes of the acceptor, too': UNPAUSED,
    },
  });
}

function transports(test: TransportTest, name: string, isSecure: boolean): void {
  const transit = createTransitWatch({ lostAfter: LOST_AFTER });
  transportSuite(test, {
    name,
    create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
      const stream = transit.watch(layer({ bindAddr, advertiseAddr }, options.clock));
      return new NetworkTransport({ ...options, stream: wrap?.(stream) ?? stream });
    },
    isBusy: transit.isBusy,
    stallTimeout: STALL_TIMEOUT,
    // Nothing listens at port 9, and browsers do not dial port 1.
    unreachable: () => `${isSecure ? 'wss' : 'ws'}://127.0.0.1:9/`,
    unspecified: '0.0.0.0:0',
    skip: {
      'hundreds of transports that open, call and close leave no handles and no heap behind': PROBE,
      'hundreds of connections that open and close leave nothing behind at either end': PROBE,
      'a writer whose peer reads nothing for 10 s is reset, before any PING is missed': UNPAUSED,
      ...(isSecure
        ? {
            'listen on an address that cannot be dialed needs an advertised address': OWN,
            'listen on an address in use fails with address_in_use, and may be tried again': OWN,
          }
        : {}),
    },
  });
}

offerSuites({
  'stream layer': (test) => streamLayers(test, 'page on ws, streams', false),
  transport: (test) => transports(test, 'page on ws', false),
  'secure stream layer': (test) => streamLayers(test, 'page on wss, streams', true),
  'secure transport': (test) => transports(test, 'page on wss', true),
});

/**
 * The suites use a manual clock, but a WebSocket's buffer empties in real time: the polls that
 * repeat every few milliseconds need real time, too.
 */
function withRealPolls(clock: Clock): Clock {
  const polls = new Set<ClockTimer>();
  return {
    ...clock,
    setTimeout(callback, delay) {
      if (delay > 10) return clock.setTimeout(callback, delay);
      const timer = systemClock.setTimeout(callback, delay);
      polls.add(timer);
      return timer;
    },
    clearTimeout: (timer) => (polls.delete(timer) ? systemClock : clock).clearTimeout(timer),
  };
}
