// The session suite over WebRTC between Chromium, which dials, and Node.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, { page: 'webrtc', suites: ['session to Node'], node: 'webrtc' });
