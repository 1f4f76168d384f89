// A few cases of the stream layer suite over WebSocket in Chromium, with Node at the other end.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, {
  page: 'ws',
  suites: ['stream layer'],
  only: [
    'one write of 65536 bytes',
    'both directions at once',
    'an end that arrives while its reader is paused',
    'close flushes written bytes',
    'destroy ends at once',
    'a dial that',
  ],
});
