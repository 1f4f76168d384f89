// What only a WebSocket can be attacked with.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(test, 'ws', ({ carriers, isSlow, victim }) => carriers !== undefined && isSlow !== true && victim?.nodes !== true);
