// Compliance tests of the WebRTC transport on node-datachannel, without the two longest cases.

import { transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { atOnce } from './testing/at-once.ts';
import { createTestRealm } from './testing/layers.ts';
import { createTransportBackend, THOUSANDS } from './testing/transport-backend.ts';

const reason = 'it takes a minute, and runs in compliance.thousands.nightly.test.ts';
const skip = Object.fromEntries(THOUSANDS.map((title) => [title, reason]));

transportSuite(atOnce(8, test), createTransportBackend('webrtc', createTestRealm(), skip));
