// Identity tests of Noise over WebRTC.

import { identitySuite } from '@trunkline/transport-testkit/identity';
import test from 'ava';
import { createTestRealm } from './testing/layers.ts';
import { createNoiseBackend } from './testing/noise-backend.ts';

identitySuite(test.serial, createNoiseBackend('noise over webrtc', createTestRealm()));
