// Compliance tests of the WebRTC transport on werift.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTransitWatch, nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { atOnce } from './testing/at-once.ts';
import { createTestRealm, HANDSHAKE_TIME, LOST_AFTER } from './testing/layers.ts';

const realm = createTestRealm(werift as unknown as RtcLibrary);
const transit = createTransitWatch({ lostAfter: LOST_AFTER });

transportSuite(atOnce(1, test), {
  name: 'webrtc on werift',
  create(options, { address, advertiseAddr, wrap } = {}) {
    const layer = transit.watch(realm.layer({ address, advertiseAddr, clock: options.clock }));
    return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
  },
  isBusy: transit.isBusy,
  stallTimeout: HANDSHAKE_TIME,
  unreachable: () => 'webrtc://nobody',
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'an id stands for one node, and none stands for all',
  },
});
