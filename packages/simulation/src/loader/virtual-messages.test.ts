// Tests of the end of a MessageChannel.

import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { virtualMessageChannel } from './virtual-messages.ts';

test('messages that were sent before the channel closed arrive', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const seen: unknown[] = [];
  sim.node('n1', ({ clock }) => {
    const { port1, port2 } = new (virtualMessageChannel(clock) as typeof MessageChannel)();
    port2.on('message', (data) => seen.push(data));
    port2.on('close', () => seen.push('close'));
    port1.on('message', (data) => seen.push(data));
    port1.postMessage('before');
    port1.close();
    port1.postMessage('after');
    port2.postMessage('to the closed end');
  });
  await sim.run(100);
  t.deepEqual(seen, ['before', 'close']);
});
