// Tests of snapshots as text.

import type { TransportSnapshot } from '@trunkline/transport-core';
import test from 'ava';
import { formatSnapshot } from './format-snapshot.ts';

const quiet: TransportSnapshot = {
  draining: false,
  version: '1.2.3',
  at: 5,
  state: 'open',
  network: 'default',
  localAddrs: [],
  protocols: [{ name: 'raft', version: 1, channel: 0x20 }],
  connections: [],
  dialing: [],
  names: [],
  memory: 0,
  incoming: { calls: 0, bytes: 0 },
  handshakes: 0,
  limits: {
    memory: 1,
    connections: 1,
    handshakes: 1,
    total: { calls: 1, bytes: 1 },
    calls: 1,
    streams: 1,
    inbound: { calls: 1, bytes: 1 },
    outbound: { messages: 1, bytes: 1 },
  },
  bytes: { in: 0, out: 0 },
  waiting: 0,
  calls: { made: 0, served: 0 },
  errors: {},
  counters: {},
};

test('a transport without connections takes three lines', (t) => {
  t.is(
    formatSnapshot(quiet),
    "transport open, version 1.2.3, network 'default', not listening\nprotocols raft v1 (0x20)\ncalls 0 made, 0 served, 0 waiting; 0 B unread",
  );
});

test('the name of a node and a drain are in the first line', (t) => {
  t.regex(
    formatSnapshot({ ...quiet, name: 'blue\u001b-1', draining: true }),
    /^transport blue\ufffd-1 draining, version 1\.2\.3, /,
  );
});

test('connections are shown in a table with aligned columns', (t) => {
  const connection = {
    direction: 'out',
    state: 'up',
    instance: 'ab',
    calls: { in: 1, out: 22 },
    streams: 3,
    blocked: 0,
    inbound: { calls: 4, bytes: 1_536 },
    outbound: { messages: 0, bytes: 0 },
    fill: { calls: 0, streams: 0, inbound: 0, outbound: 0 },
  } as const;
  const text = formatSnapshot({
    ...quiet,
    localAddrs: ['127.0.0.1:7000'],
    dialing: ['host:1'],
    connections: [
      {
        ...connection,
        id: 'out-1',
        endpoint: '10.0.0.1:7000',
        addr: 'node-1:7000',
        rtt: 0.256,
        age: 1_500,
        bytes: { in: 1_023, out: 5 * 1_024 ** 3 },
      },
      {
        ...connection,
        id: 'in-123',
        endpoint: 'x',
        state: 'closing',
        nodeId: 'cd'.repeat(32),
        age: 99_949,
        bytes: { in: 0, out: 0 },
      },
    ],
    errors: { unavailable: 3, internal: 0 },
    counters: { onewayLost: 2 },
  });
  t.is(
    text,
    `transport open, version 1.2.3, network 'default', on 127.0.0.1:7000
protocols raft v1 (0x20)
calls 0 made, 0 served, 0 waiting; 0 B unread
dialing host:1

connection  state    endpoint       peer          rtt      age     in      out      calls in/out  streams  waiting      queued
out-1       up       10.0.0.1:7000  node-1:7000   0.26 ms  1.5 s   1023 B  5.0 GiB  1/22          3        4 (1.5 KiB)  0 (0 B)
in-123      closing  x              cdcdcdcdcdcd  –        99.9 s  0 B     0 B      1/22          3        4 (1.5 KiB)  0 (0 B)

errors unavailable 3

counted onewayLost 2`,
  );
});
