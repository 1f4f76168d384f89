// Tests of the store in IndexedDB, in Chromium.

import test from 'ava';
import { suitesInChromium } from './in-chromium.ts';

await suitesInChromium(test, { page: 'store', suites: ['store'] });
