// Runs the compliance suite of transports with node ids as targets, over streams in memory.

import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { common, same, whole } from './testing/by-id.ts';

const streams = createInmemStreams();

transportSuite(test, {
  ...common,
  name: 'node ids over inmem streams',
  create(options, { address, wrap = same } = {}) {
    const { clock, random } = options;
    return whole(options, address, (bindAddr, advertiseAddr) =>
      wrap(streams.layer(bindAddr, { advertiseAddr, clock, random })),
    );
  },
});
