// Tests of closing: it takes no longer than `grace`, and reports the messages that could not be
// sent by then.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { idOf, meet, runs } from './testing/cluster.ts';
import test from './testing/serial.ts';

for (const overlay of [fullMesh(), partialView()]) {
  test(
    `${overlay.name}: closing waits for a peer that reads nothing until the timeout, and reports what it was not sent`,
    async (t) => {
      for (const grace of [undefined, 700, 0]) {
        const { sim, node, subscriber } = await meet(t.context, ['a', 'b', 'c'], {
          gossip: () => ({ overlay }),
          transport: { limits: { outbound: { messages: 20 } } },
        });
        sim.cut('a', 'b');
        const { gossip } = node('a');
        const { topic } = subscriber('a');
        for (let i = 0; i < 100; i++) topic.publish(String(i).padEnd(50_000)).catch(() => {});
        await sim.run(1);
        const before = sim.now;
        const { unsent } = await sim.settle(gossip.close({ grace }), 10_000);
        const over = sim.now - before - (grace ?? 5_000);
        t.true(over >= 0 && over < 100, `${grace}: ${over}`);
        const { messages, bytes } = unsent.find(({ nodeId }) => nodeId === idOf('b'))!;
        t.true(messages > 50 && messages <= 100 && bytes > 50 * 50_000, JSON.stringify(unsent));
        if (grace !== 0) t.is(unsent.length, 1);
        t.deepEqual(await gossip.close(), { unsent }, 'idempotent');
        await sim.run(1_000);
        if (grace !== 0) t.is(subscriber('c').words.length, 100);
        await sim.close();
      }
    },
    runs(1, ['stream']),
  );
}

test('closing with nothing to send takes no time; invalid options throw a TypeError', async (t) => {
  const { sim, node } = await meet(t.context, ['a', 'b']);
  const { gossip } = node('a');
  for (const grace of [-1, Number.NaN, '5'])
    await t.throwsAsync(gossip.close({ grace: grace as number }), {
      instanceOf: TypeError,
      message: /gossip\.close.*grace/u,
    });
  await sim.run(1_000);
  const before = sim.now;
  t.deepEqual(await sim.settle(gossip.close(), 1), { unsent: [] });
  const grace = Number.POSITIVE_INFINITY;
  t.deepEqual(await sim.settle(node('b').gossip.close({ grace }), 1), { unsent: [] });
  t.true(sim.now - before <= 2);
}, 1);
