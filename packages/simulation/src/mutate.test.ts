// Tests of mutated messages: no credit is lost or gained, regardless of the length of the new
// value.

import { createSimulation, type Simulation } from './index.ts';
import test from './testing/serial.ts';
import { outcome, server, type TestTransport, testProtocol } from './testing/test-protocol.ts';

const KIB = 1024;

function setUp(seed = 1): { sim: Simulation; client: TestTransport; heard: string[] } {
  const heard: string[] = [];
  const sim = createSimulation({ seed });
  sim.node(
    'b',
    server((hint) => heard.push(hint)),
  );
  return { sim, client: sim.client(testProtocol, { name: 'c', maxPool: 1 }), heard };
}

for (const [what, sent, arrives] of [
  ['shorter', 'x'.repeat(60_000), ''],
  ['longer', '', 'x'.repeat(60_000)],
] as const) {
  test(`one-way messages that are mutated into ${what} ones leave every account unchanged`, async (t) => {
    const { sim, client, heard } = setUp();
    const remote = await sim.settle(client.dial('b'));
    sim.intercept(({ kind }) => (kind === 'oneway' ? { mutate: arrives } : 'pass'));
    for (let i = 0; i < 100; i++) {
      t.is(
        await sim.settle(
          outcome(client.send('b', 'hint', sent, { timeout: 1_000 }).then(() => 'sent')),
        ),
        'sent',
      );
      await sim.run(100); // The credit returns every 100 ms.
    }
    t.is(heard.length, 100);
    t.false(remote.closed);
    await sim.close();
  });
}

test('items that are mutated into shorter ones leave every account unchanged', async (t) => {
  const { sim, client } = setUp();
  const remote = await sim.settle(client.dial('b'));
  sim.intercept(({ kind }) => (kind === 'item' ? { mutate: '' } : 'pass'));
  const upload = (async function* () {
    for (let i = 0; i < 30; i++) yield 'x'.repeat(60_000);
  })();
  t.is(
    (await sim.settle(outcome(client.send('b', 'collect', 'c', { timeout: 5_000, upload }))))
      .length,
    31,
  );
  t.false(remote.closed);
  await sim.close();
});

test('a mutation into an item that is too long is refused by name', async (t) => {
  for (const mutate of ['xx', 'x'.repeat(70_000)]) {
    const { sim, client } = setUp();
    sim.intercept(({ kind }) => (kind === 'item' ? { mutate } : 'pass'));
    const upload = (async function* () {
      yield 'x';
    })();
    const error = await t.throwsAsync(sim.settle(client.send('b', 'collect', 'c', { upload })));
    t.regex(error!.message, /intercept: .*(can't be made longer|too long for one packet)/);
    await sim.close();
  }
});

test('one-way messages that are mutated into longer ones leave no credit that the reader does not have', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let reads = true;
  sim.node('b', async ({ transport, clock }) => {
    const node = transport(testProtocol, { limits: { credit: { inbox: 256 * KIB } } });
    await node.listen();
    const hints = node.consumer('hint');
    while (reads) await Promise.race([hints.next(), clock.sleep(1_000)]);
  });
  const client = sim.client(testProtocol, { maxPool: 1 });
  const remote = await sim.settle(client.dial('b'));
  const remove = sim.intercept(({ kind }) =>
    kind === 'oneway' ? { mutate: 'x'.repeat(2_000) } : 'pass',
  );
  for (let i = 0; i < 20; i++) {
    await sim.settle(client.send('b', 'hint', ''));
    await sim.run(10);
  }
  remove();
  reads = false;
  for (let i = 0; i < 30; i++)
    void client.send('b', 'hint', 'x'.repeat(60_000), { timeout: 1_000 }).catch(() => {});
  await sim.run(5_000);
  t.false(remote.closed);
});
