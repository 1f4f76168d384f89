// Tests the command line of the demo.

import test from 'ava';
import { NETWORKS } from './networks.ts';
import { parseOptions } from './options.ts';

test('by default each carrier and one secure one run, with five nodes and 1,000 writes', (t) => {
  const transports = ['inmem', 'tcp', 'ws', 'tls'];
  const modes = { peers: false, stay: false, dashboard: false };
  t.deepEqual(parseOptions([]), { transports, nodes: 5, writes: 1_000, ...modes });
  t.deepEqual(parseOptions(['--peers']).transports, ['inmem', 'tcp', 'tls']);
});

test('several backends may be given, by commas or one by one; each runs once and in order', (t) => {
  const transports = (...args: string[]) => parseOptions(args).transports;
  t.deepEqual(transports('--transport', 'tls', '--transport=tcp,tls'), ['tls', 'tcp']);
  t.deepEqual(transports('--transport', 'nats,tcp'), ['nats', 'nats-cluster', 'tcp']);
  const others = Object.keys(NETWORKS).filter((name) => name !== 'ws');
  t.deepEqual(transports('--transport', 'ws,all'), ['ws', ...others]);
});

const backends = 'expected inmem, tcp, ws, tls, wss, noise, webrtc, nats, nats-cluster or all, got';
for (const [args, message] of [
  ['--transport udp', `--transport: ${backends} 'udp'`],
  ['--transport tls,', `--transport: ${backends} ''`],
  ['--nodes 2', "--nodes: expected a whole number from 3 to 9, got '2'"],
  ['--peers --nodes 4', "--nodes: expected a whole number from 5 to 9, got '4'"],
  ['--writes 1e3', "--writes: expected a whole number from 1 to 100000, got '1e3'"],
  ['--stay --peers', /one cluster over TLS/],
  ['--dashboard --transport ws', /one cluster over TLS/],
  ['--node 3', /--node/],
  ['all', /all/],
] as const) {
  test(`${args} is refused by the demo, and the error says what is valid`, (t) => {
    t.throws(() => parseOptions(args.split(' ')), { message });
  });
}
