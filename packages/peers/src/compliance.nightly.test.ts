// Runs the compliance suite of transports with node ids as targets, over TCP.

import { transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { common, whole } from './testing/by-id.ts';

transportSuite(test, {
  ...common,
  name: 'node ids over TCP',
  create: (options, { address, wrap } = {}) => whole(options, address, wrap),
});
