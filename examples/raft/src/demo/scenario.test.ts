import test from 'ava';
import { KeyValueStore } from '../kv.ts';
import { BACKENDS } from './backends.ts';
import { Cluster } from './cluster.ts';
import { runScenario } from './scenario.ts';
import { Workload } from './workload.ts';

for (const [name, backend] of Object.entries(BACKENDS)) {
  test(`the story comes to its good end on ${name}`, async (t) => {
    const phases: string[] = [];
    const { signal } = new AbortController();
    const report = await runScenario(backend(), { nodes: 3, writes: 40, progress: (phase) => phases.push(phase), signal });
    t.deepEqual(report.failures, []);
    t.true(report.snapshotBytes > 0 && report.p50 > 0 && report.p99 >= report.p50);
    t.is(new Set(phases).size, 5);
  });
}

test('a node that has lost writes is found out, by what it lacks and by its hash', async (t) => {
  const open = BACKENDS['inmem']!();
  const cluster = new Cluster(open, 10);
  const desk = await open();
  try {
    await cluster.start(3);
    const workload = new Workload(desk, cluster.addrs);
    await workload.run('k', 10, () => {}, new AbortController().signal);
    while (cluster.agreed === undefined) await desk.clock.sleep(1);
    t.deepEqual(cluster.breaches(workload.written), []);
    cluster.members[1]!.machine.restore(new KeyValueStore().snapshot());
    t.deepEqual(cluster.breaches(workload.written), [`${cluster.members[1]!.addr} lacks 10 of 10 writes`, '3 nodes have 2 different state hashes']);
  } finally {
    await desk.close();
    await cluster.close();
  }
});

test('an interruption ends the story and closes everything', async (t) => {
  const interrupt = new AbortController();
  const progress = (phase: string) => {
    if (phase.includes('before')) interrupt.abort(new Error('interrupted'));
  };
  await t.throwsAsync(runScenario(BACKENDS['inmem']!(), { nodes: 3, writes: 10_000, progress, signal: interrupt.signal }), { message: 'interrupted' });
});
