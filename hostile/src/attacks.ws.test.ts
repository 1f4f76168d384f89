// What only a WebSocket can be attacked with.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'ws', ({ carriers, isSlow }) => carriers !== undefined && isSlow !== true);
