// Both transports in memory, held to the contract of a Transport: the direct one, and the whole NetworkTransport over in-process streams.

import { type AnyTransport, NetworkTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createInmemTransport } from './direct/inmem-transport.ts';
import { createInmemStreams } from './stream/inmem-streams.ts';

const streams = createInmemStreams();

transportSuite(test, {
  name: 'inmem streams',
  create: (options, { address, wrap = (layer) => layer } = {}) => new NetworkTransport({ ...options, stream: wrap(streams.layer(address)) }),
  unreachable: () => 'inmem://nobody',
  probe: nodeProbe(),
});
