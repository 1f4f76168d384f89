// Tests of the overlay after nodes fail without any neighbor noticing.

import test from 'ava';
import { Cycles } from './cycles.ts';

test('dead nodes that nobody reports are found by writing to them: every view is correct a few cycles later', (t) => {
  t.timeout(300_000);
  for (const notice of ['write', 'later'] as const) {
    const net = new Cycles({ nodes: 500, seed: 9, notice }).build(12);
    net.fail(net.draw(0.5), false);
    for (let cycle = 0; cycle < 10; cycle++) net.cycle();
    t.deepEqual(net.oneSided(), []);
    t.deepEqual(net.graph().components(), [250]);
  }
});
