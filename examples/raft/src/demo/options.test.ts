// Tests the command line of the demo.

import test from 'ava';
import { type DemoOptions, parseOptions } from './options.ts';

test('by default each carrier and one secure one run, with five nodes and 1,000 writes', (t) => {
  t.deepEqual(parseOptions([]), {
    transports: ['inmem', 'tcp', 'ws', 'tls'],
    nodes: 5,
    writes: 1_000,
    ...{ peers: false, stay: false, dashboard: false },
  });
});

test('--peers is another scenario, by default on three backends, and needs at least five nodes', (t) => {
  t.deepEqual(parseOptions(['--peers']), {
    transports: ['inmem', 'tcp', 'tls'],
    nodes: 5,
    writes: 1_000,
    ...{ peers: true, stay: false, dashboard: false },
  });
  t.deepEqual(parseOptions(['--peers', '--transport', 'noise', '--nodes', '7']), {
    transports: ['noise'],
    nodes: 7,
    writes: 1_000,
    ...{ peers: true, stay: false, dashboard: false },
  });
  t.throws(() => parseOptions(['--peers', '--nodes', '4']), {
    message: "--nodes: expected a whole number from 5 to 9, got '4'",
  });
});

test('several backends may be given, by commas or one by one; each runs once and in order', (t) => {
  const transports = (...args: string[]) => (parseOptions(args) as DemoOptions).transports;
  t.deepEqual(transports('--transport', 'wss,noise'), ['wss', 'noise']);
  t.deepEqual(transports('--transport', 'tls', '--transport=tcp,tls'), ['tls', 'tcp']);
  t.deepEqual(transports('--transport', 'ws,all'), [
    'ws',
    'inmem',
    'tcp',
    'tls',
    'wss',
    'noise',
    'webrtc',
    'nats',
    'nats-cluster',
  ]);
  t.deepEqual(transports('--transport', 'nats,tcp'), ['nats', 'nats-cluster', 'tcp']);
});

test('one backend, other numbers, and help are accepted', (t) => {
  t.deepEqual(parseOptions(['--', '--transport', 'tcp', '--nodes=3', '--writes', '10']), {
    transports: ['tcp'],
    nodes: 3,
    writes: 10,
    ...{ peers: false, stay: false, dashboard: false },
  });
  t.is(parseOptions(['--help', '--nodes', 'many']), 'help');
});

for (const [args, message] of [
  [
    ['--transport', 'udp'],
    "--transport: expected inmem, tcp, ws, tls, wss, noise, webrtc, nats, nats-cluster or all, got 'udp'",
  ],
  [
    ['--transport', 'tls,'],
    "--transport: expected inmem, tcp, ws, tls, wss, noise, webrtc, nats, nats-cluster or all, got ''",
  ],
  [['--nodes', '2'], "--nodes: expected a whole number from 3 to 9, got '2'"],
  [['--writes', '1e3'], "--writes: expected a whole number from 1 to 100000, got '1e3'"],
  [
    ['--transport', 'constructor'],
    "--transport: expected inmem, tcp, ws, tls, wss, noise, webrtc, nats, nats-cluster or all, got 'constructor'",
  ],
] as const) {
  test(`${args.join(' ')} is refused by the demo, and the error says what is valid`, (t) => {
    t.throws(() => parseOptions(args), { message });
  });
}

test('an unknown option, and one without its value, are refused', (t) => {
  t.throws(() => parseOptions(['--node', '3']), { message: /--node/ });
  t.throws(() => parseOptions(['--nodes']), { message: /--nodes/ });
  t.throws(() => parseOptions(['all']), { message: /all/ });
});

test('a cluster that stays runs over TLS alone', (t) => {
  t.like(parseOptions(['--stay']), { stay: true, dashboard: false, nodes: 5 });
  t.like(parseOptions(['--dashboard', '--nodes', '3']), { dashboard: true, nodes: 3 });
  for (const other of [['--peers'], ['--transport', 'ws']])
    t.throws(() => parseOptions(['--stay', ...other]), { message: /one cluster over TLS/ });
});
