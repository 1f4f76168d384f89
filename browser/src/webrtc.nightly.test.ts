// The suites of the testkit over WebRTC between two peer connections of one page.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, { page: 'webrtc', suites: ['stream layer', 'transport'] });
