// Runs the demo as a process and checks its output and its exit codes, and that the demo detects
// lost writes and strangers.

import { unable } from '@trunkline/local-nats';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { Cluster } from './demo/cluster.ts';
import { failover } from './demo/failover.ts';
import { NETWORKS, secure } from './demo/networks.ts';
import { play } from './demo/story.ts';
import { KeyValueStore } from './kv.ts';
import { runMain } from './testing/run-main.ts';

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runMain(['demo.js'], args, env);
const { signal } = new AbortController();

/** The error with which a stranger is refused, on the backends that prove ids. */
const REFUSALS: Readonly<Record<string, string>> = {
  tls: 'unauthenticated \\(bad_certificate\\)',
  wss: 'unauthenticated \\(bad_certificate\\)',
  noise: 'permission_denied \\(denied\\)',
};

for (const name of Object.keys(NETWORKS)) {
  const isUnable = name.startsWith('nats') && unable() !== undefined;
  (isUnable ? test.skip : test.serial)(`the demo ends well on ${name}`, async (t) => {
    t.timeout(120_000);
    const args = ['--transport', name, '--nodes', '3', '--writes', '40'];
    const { code, out, err } = await run(args);
    t.is(code, 0, out + err);
    t.is(err, '');
    t.regex(out, /^backend +election +commits\/s +fail-over +write p50 +write p99 .* verdict$/m);
    t.regex(out, new RegExp(`^${name}( +[\\d.]+){6} +[1-9]\\d* KiB +ok$`, 'm'));
    const refusal = REFUSALS[name];
    if (name === 'nats-cluster') t.regex(out, / server {4}nats:\/\/127\.0\.0\.1:\d+ was killed$/m);
    if (refusal === undefined) return;
    const members = out.match(/ members( +[0-9a-f]{8}){3}, each proven to all others$/m)?.[0];
    const [, denied] = out.match(/ denied +(\w{8}): .*; 4 writes without it; back in \d+ ms$/m)!;
    const [, stranger] = out.match(new RegExp(` stranger +(\\w{8}): refused, ${refusal}$`, 'm'))!;
    t.true(members?.includes(denied!));
    t.false(members?.includes(stranger!));
  });
}

test('without nats-server it says how to install it, with exit code 3', async (t) => {
  const { code, out, err } = await run(['--transport', 'nats'], { PATH: '' });
  t.deepEqual([code, out], [3, '']);
  t.regex(err, /^apt-get install nats-server$/m);
});

test('a node that has lost writes is detected by its missing entries and by its hash', async (t) => {
  await using cluster = new Cluster(await NETWORKS['inmem']!(4), { writes: 10, signal });
  await cluster.gather();
  await cluster.start();
  const written = new Map(Array.from({ length: 10 }, (_, i) => [`k-${i}`, 'v']));
  const client = cluster.client('c');
  for (const [key, value] of written) await client.set(key, value);
  await cluster.until('agreement', () => cluster.agreed);
  t.deepEqual(cluster.breaches(written), []);
  const [, broken] = cluster.members;
  broken!.machine.restore(new KeyValueStore().snapshot());
  t.deepEqual(cluster.breaches(written), [
    `${broken!.addr} lacks 10 of 10 writes`,
    '3 nodes have 2 different state hashes',
  ]);
});

test.serial('a stranger that gets in is detected, and so are its writes', async (t) => {
  const identities = Array.from({ length: 5 }, () => createIdentity());
  const allow = identities.map(({ nodeId }) => nodeId);
  const network = secure(
    'tcp://127.0.0.1:0',
    async () => identities,
    (identity) => secured(tcp(), { identity, allow }),
  );
  const options = { nodes: 3, writes: 40, note: () => {}, signal };
  const { failures } = await play(failover, network, options);
  t.regex(failures[0]!, /^the stranger [0-9a-f]{8} could write$/);
  t.true(failures.some((failure) => / lacks 1 of 85 writes$/.test(failure)));
});
