// The suites of the testkit over WebSocket with TLS in Chromium, with Node at the other end.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, {
  page: 'ws',
  suites: ['secure stream layer', 'secure transport'],
  node: 'wss',
});
