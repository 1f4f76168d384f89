// The suites of the testkit over WebSocket in Chromium, with Node at the other end.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, { page: 'ws', suites: ['stream layer', 'transport'] });
