// The identity suite for Noise over WebRTC between Chromium, which dials, and Node.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, { page: 'identity', suites: ['identity to Node'], node: 'webrtc' });
