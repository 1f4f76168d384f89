// Compliance tests of the WebRTC transport on werift.

import { transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { atOnce } from './testing/at-once.ts';
import { createTestRealm } from './testing/layers.ts';
import { createTransportBackend } from './testing/transport-backend.ts';

const realm = createTestRealm(werift as unknown as RtcLibrary);

transportSuite(atOnce(1, test), createTransportBackend('webrtc on werift', realm));
