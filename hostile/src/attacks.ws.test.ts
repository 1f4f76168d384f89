// Runs the attacks that only a WebSocket allows.

import test from 'ava';
import { attackTests } from './testing/attack-tests.ts';

attackTests(
  test,
  'ws',
  ({ carriers, isSlow, victim }) =>
    carriers !== undefined && isSlow !== true && victim?.nodes !== true,
);
