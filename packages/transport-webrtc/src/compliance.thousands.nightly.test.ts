// The two longest compliance tests of the WebRTC transport on node-datachannel.

import { type TransportTest, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTestRealm } from './testing/layers.ts';
import { createTransportBackend, THOUSANDS } from './testing/transport-backend.ts';

/** Declares only the cases of {@link THOUSANDS}. */
const only: TransportTest = (title, run) => {
  if (THOUSANDS.some((end) => title.endsWith(end))) test.serial(title, run);
};

transportSuite(only, createTransportBackend('webrtc', createTestRealm()));
