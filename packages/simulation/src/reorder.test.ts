// Tests of duplicated and reordered messages: some guarantees do not hold for them, others always
// hold.

import { createSimulation, type SimulationLevel } from './index.ts';
import test from './testing/serial.ts';
import { linked, outcome, server, testProtocol } from './testing/test-protocol.ts';

const LEVELS: readonly SimulationLevel[] = ['message', 'stream'];

test('with duplicates, the handler gets a request or one-way message twice, the caller one answer; a stream duplicates nothing', async (t) => {
  const counts: Record<string, number> = {};
  for (const level of LEVELS) {
    await using sim = createSimulation({ seed: 1, level, link: { duplicate: 1, fragment: 0 } });
    const seen: string[] = [];
    sim.node(
      'b',
      server((hint) => seen.push(hint)),
    );
    const client = sim.client(testProtocol);
    let requests = 0;
    sim.intercept(({ kind }) => void (requests += kind === 'request' ? 1 : 0));
    t.is(await sim.settle(client.send('b', 'echo', 'once')), 'once');
    await sim.settle(client.send('b', 'hint', 'h'));
    await sim.run(100);
    counts[level] = seen.length;
    if (level === 'message')
      t.true(sim.trace.timeline.some((line) => /duplicated\s+lab\/echo request/.test(line)));
    t.is(client.snapshot().connections[0]!.calls.out, 0);
    t.deepEqual(client.snapshot().counters, {});
  }
  t.deepEqual(counts, { message: 2, stream: 1 });
});

for (const level of LEVELS) {
  test(`order is kept with reorder 0, whatever the latency${level === 'stream' ? ', and with reorder on a stream' : '; broken with reorder'} (${level})`, async (t) => {
    for (const reorder of [0, 0.2]) {
      const { sim, client, heard } = await linked({ latency: [1, 50], reorder }, level);
      for (let i = 0; i < 200; i++) {
        await sim.settle(client.send('b', 'hint', `${i}`));
        await sim.run(1);
      }
      await sim.run(5_000);
      const got = heard.map(([hint]) => Number(hint));
      const sorted = [...got].sort((a, b) => a - b);
      t.deepEqual(
        sorted,
        sorted.map((_, i) => i),
      );
      if (reorder === 0 || level === 'stream') t.deepEqual(got, sorted);
      else t.notDeepEqual(got, sorted);
      await sim.close();
    }
  });
}

test('reordering and duplicates never overtake a hello: the first calls of a connection arrive', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    await using sim = createSimulation({
      seed,
      link: { latency: [1, 20], reorder: 0.5, duplicate: 0.5 },
    });
    sim.node('b', server());
    const client = sim.client(testProtocol);
    const answers = await sim.settle(
      Promise.all([...'abcdef'].map((x) => outcome(client.send('b', 'echo', x)))),
    );
    t.deepEqual(answers, [...'abcdef'], `seed ${seed}`);
  }
});
