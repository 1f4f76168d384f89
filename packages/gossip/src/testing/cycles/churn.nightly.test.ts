// Test of the overlay under churn: nodes fail and join in each of a hundred cycles.

import test from 'ava';
import { Cycles } from './cycles.ts';

test('in each of a hundred cycles fifty nodes fail and fifty join: every live node gets every message', (t) => {
  t.timeout(SLOW);
  const net = new Cycles({ nodes: 1_000, seed: 5 }).build(12);
  for (let cycle = 0; cycle < 100; cycle++) {
    const dead = net.draw(0.05);
    net.fail(dead, true);
    const living = net.living();
    for (let i = 0; i < 50; i++) net.join(living[Math.floor(net.random() * living.length)]);
    t.is(net.graph().floods(5, net.random).reliability, 1, `cycle ${cycle}`);
    net.cycle();
  }
  t.deepEqual(net.oneSided(), []);
});

/** Timeout in milliseconds for a busy machine; the test takes 5 s to 10 s otherwise. */
const SLOW = 300_000;
