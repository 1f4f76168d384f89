// A few cases of the stream layer suite over WebRTC: in one page, and between Chromium and Node.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, {
  page: 'webrtc',
  suites: ['stream layer', 'stream layer to Node'],
  node: 'webrtc',
  only: [
    'one write of 65536 bytes',
    'both directions at once',
    'close flushes written bytes',
    'destroy ends at once',
  ],
});
