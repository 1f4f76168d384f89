// Tests that a publisher may use the memory of a message again at once.

import { relayMesh } from './testing/relay-mesh.ts';
import test from './testing/serial.ts';

test('a message is as it was when it was published', async (t) => {
  const { sim, at } = await relayMesh(t.context, 2, { relay: () => undefined });
  const memory = new Uint8Array(1_000);
  const published = [1, 2, 3].map((value) => {
    const result = at('n00').topic.publish(memory.fill(value), { min: 1 });
    memory.fill(99);
    return result;
  });
  await sim.settle(Promise.all(published));
  t.deepEqual(
    at('n01').heard.map(({ message }) => [...new Set(message)]),
    [[1], [2], [3]],
  );
}, 1);
