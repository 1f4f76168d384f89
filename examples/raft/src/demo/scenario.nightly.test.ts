// Runs the demo's main story on several backends, and checks that it detects lost writes and
// admitted strangers.

import { unable } from '@trunkline/local-nats';
import { secured } from '@trunkline/security/noise';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { KeyValueStore } from '../kv.ts';
import { BACKENDS } from './backends.ts';
import { Cluster } from './cluster.ts';
import { listed } from './credentials.ts';
import { secure } from './network.ts';
import { runScenario } from './scenario.ts';
import { Workload } from './workload.ts';

/** The line that reports a refused stranger, for backends that prove ids. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  tls: /^stranger {2}[0-9a-f]{8}: refused, unauthenticated \(bad_certificate\)$/,
  wss: /^stranger {2}[0-9a-f]{8}: refused, unauthenticated \(bad_certificate\)$/,
  noise: /^stranger {2}[0-9a-f]{8}: refused, permission_denied \(denied\)$/,
};

for (const [name, network] of Object.entries(BACKENDS)) {
  const reason = name.startsWith('nats') ? unable() : undefined;
  if (reason !== undefined) {
    test.skip(`the scenario ends well on ${name} (${reason})`, () => {});
    continue;
  }
  test.serial(`the scenario ends well on ${name}`, async (t) => {
    const phases: string[] = [];
    const notes: string[] = [];
    const { signal } = new AbortController();
    const [progress, note] = [
      (phase: string) => phases.push(phase),
      (text: string) => notes.push(text),
    ];
    const report = await runScenario(network, { nodes: 3, writes: 40, progress, note, signal });
    t.deepEqual(report.failures, []);
    t.true(report.snapshotBytes > 0 && report.p50 > 0 && report.p99 >= report.p50);
    const refusal = REFUSALS[name];
    if (name === 'nats-cluster') {
      t.is(notes.length, 1);
      return t.regex(notes[0]!, /^server {4}nats:\/\/127\.0\.0\.1:\d+ was killed$/);
    }
    t.is(new Set(phases).size, refusal === undefined ? 5 : 6);
    if (refusal === undefined) return t.deepEqual(notes, []);
    t.is(notes.length, 3);
    t.regex(notes[0]!, /^members {3}([0-9a-f]{8} ?){3}, each proven to all others$/);
    t.regex(
      notes[1]!,
      /^denied {4}[0-9a-f]{8}: disconnected in \d+ ms, permission_denied \(denied\); 4 writes without it; back in \d+ ms$/,
    );
    t.regex(notes[2]!, refusal);
    t.true(
      notes[0]!.includes(/[0-9a-f]{8}/.exec(notes[1]!)![0]) &&
        !notes[0]!.includes(/[0-9a-f]{8}/.exec(notes[2]!)![0]),
    );
  });
}

test('a node that has lost writes is detected by its missing entries and by its hash', async (t) => {
  const network = await BACKENDS['inmem']!(4);
  const cluster = new Cluster(network, 10);
  const desk = await network.places[3]!.open();
  try {
    await cluster.gather(3);
    await cluster.start();
    const workload = new Workload(desk, cluster);
    await workload.run('k', 10, () => {}, new AbortController().signal);
    while (cluster.agreed === undefined) await desk.clock.sleep(1);
    t.deepEqual(cluster.breaches(workload.written), []);
    cluster.members[1]!.machine.restore(new KeyValueStore().snapshot());
    t.deepEqual(cluster.breaches(workload.written), [
      `${cluster.members[1]!.addr} lacks 10 of 10 writes`,
      '3 nodes have 2 different state hashes',
    ]);
  } finally {
    await desk.close();
    await cluster.close();
  }
});

test.serial('a stranger that gets in is detected, and so are its writes', async (t) => {
  const network = secure(
    'tcp://127.0.0.1:0',
    async (count) => {
      const { members } = await listed(count + 1);
      return { members: members.slice(0, count), stranger: members[count]! };
    },
    ({ identity, allow }) => secured(tcp(), { identity, allow }),
  );
  const options = {
    nodes: 3,
    writes: 40,
    progress: () => {},
    note: () => {},
    signal: new AbortController().signal,
  };
  const [intrusion, ...breaches] = (await runScenario(network, options)).failures;
  t.regex(intrusion!, /^the stranger [0-9a-f]{8} could write$/);
  t.true(breaches.some((breach) => / lacks 1 of 85 writes$/.test(breach)));
});

test('an interruption ends the scenario and closes everything', async (t) => {
  const interrupt = new AbortController();
  const progress = (phase: string) => {
    if (phase.includes('before')) interrupt.abort(new Error('interrupted'));
  };
  const options = { nodes: 3, writes: 10_000, progress, note: () => {}, signal: interrupt.signal };
  await t.throwsAsync(runScenario(BACKENDS['inmem']!, options), { message: 'interrupted' });
});
