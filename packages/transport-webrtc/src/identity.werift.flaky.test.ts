// Identity tests of Noise over WebRTC on werift.

import { identitySuite } from '@trunkline/transport-testkit';
import test from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { createTestRealm } from './testing/layers.ts';
import { createNoiseBackend } from './testing/noise-backend.ts';

const realm = createTestRealm(werift as unknown as RtcLibrary);

identitySuite(test.serial, createNoiseBackend('noise over webrtc on werift', realm));
