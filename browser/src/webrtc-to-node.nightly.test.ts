// The suites of the testkit over WebRTC between Chromium, which dials, and Node.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, {
  page: 'webrtc',
  suites: ['stream layer to Node', 'transport to Node'],
  node: 'webrtc',
});
