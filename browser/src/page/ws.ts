// The suites over WebSocket: the page dials, Node listens, and the page has the transports of both
// ends.

import { type Clock, type ClockTimer, systemClock } from '@trunkline/transport-core';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import { PageLayer } from './page-layer.ts';
import { offerSuites } from './run-cases.ts';
import { type Carrier, streamLayers, transports } from './suites.ts';

const HIDDEN = 'a browser does not tell pages why a dial failed';
const BUFFERS = 'the browser decides how much it buffers';
const UNPAUSED = 'a page cannot pause a WebSocket, so the browser keeps what arrives';
const OWN = "the user's server owns the port";

const plain: Carrier = {
  name: 'page on ws',
  realm:
    () =>
    (place, clock = systemClock) => {
      const { advertiseAddr } = place;
      const native = createWsStreamLayer({ advertiseAddr, clock: withRealPolls(clock) });
      return new PageLayer(place, native, clock);
    },
  malformed: ['', '127.0.0.1:7000', 'tcp://127.0.0.1:7000', 'ws://127.0.0.1:0/'],
  // Nothing listens at port 9, and browsers do not dial port 1.
  unreachable: 'ws://127.0.0.1:9/',
  unspecified: '0.0.0.0:0',
  skip: {
    'a dial to an address without a listener fails with connection_refused and names the address':
      HIDDEN,
    'close frees the address, and a dial to it is refused': HIDDEN,
    'writes to a paused reader start to return false, and drained follows once it reads': BUFFERS,
    'a paused connection does not stop others of the same two layers': BUFFERS,
    'a flood after close is cut off at 256 KiB':
      'a page cannot limit the data that arrives after close, only the time',
    'back-pressure applies to writes of the acceptor, too': UNPAUSED,
  },
  skipTransport: {
    'a writer whose peer reads nothing for 10 s is reset, before any PING is missed': UNPAUSED,
  },
};

/** The layers share an https server of the test. */
const secure: Carrier = {
  ...plain,
  name: 'page on wss',
  unreachable: 'wss://127.0.0.1:9/',
  skip: {
    ...plain.skip,
    'listen on an address in use fails with address_in_use, and the first layer continues': OWN,
    'a layer whose listen failed can listen after the address is free': OWN,
  },
  skipTransport: {
    ...plain.skipTransport,
    'listen on an address that cannot be dialed needs an advertised address': OWN,
    'listen on an address in use fails with address_in_use, and may be tried again': OWN,
  },
};

offerSuites({
  'stream layer': (test) => streamLayers(test, plain),
  transport: (test) => transports(test, plain),
  'secure stream layer': (test) => streamLayers(test, secure),
  'secure transport': (test) => transports(test, secure),
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
