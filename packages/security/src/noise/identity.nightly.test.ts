// Identity tests of Noise over sockets.

import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { identitySuite } from '@trunkline/transport-testkit/identity';
import test from 'ava';
import { noiseOver } from './testing/noise-over.ts';

identitySuite(
  test,
  noiseOver('tcp', (clock, bindAddr) => createTcpStreamLayer({ clock, bindAddr })),
);
