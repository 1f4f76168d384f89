// Identity tests of Noise over WebRTC on werift.

import { identitySuite } from '@trunkline/transport-testkit/identity';
import test from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { createTestRealm } from './testing/layers.ts';
import { createNoiseBackend } from './testing/noise-backend.ts';

const realm = createTestRealm(werift as unknown as RtcLibrary);

const slow = 'werift sends tens of thousands of messages so slowly that it takes the path for lost';

identitySuite(
  test.serial,
  createNoiseBackend('noise over webrtc on werift', realm, {
    'the boundaries of chunks have no effect: bytes arrive one by one': slow,
    'the boundaries of chunks have no effect: bytes arrive 2 at a time': slow,
  }),
);
