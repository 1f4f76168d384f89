// Identity tests of Noise over memory.

import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { identitySuite } from '@trunkline/transport-testkit/identity';
import test from 'ava';
import { noiseOver } from './testing/noise-over.ts';

const streams = createInmemStreams();
identitySuite(
  test,
  noiseOver('memory', (clock, address) => streams.layer(address, { clock })),
);
