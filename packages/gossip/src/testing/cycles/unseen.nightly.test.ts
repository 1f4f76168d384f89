// Tests of the overlay after nodes fail without any neighbor noticing.

import test from 'ava';
import { Cycles } from './cycles.ts';
import { flood } from './flood.ts';

test('with unnoticed failures of up to 80 percent, the overlay recovers after one keep-alive', (t) => {
  t.timeout(SLOW);
  for (const share of [0.3, 0.5, 0.8]) {
    const net = new Cycles({ nodes: 1_000, seed: 3, notice: 'keep-alive' }).build(12);
    net.fail(net.draw(share), false);
    const before = flood(net, net.living()[0]!).share;
    t.true(share < 0.5 || before < 0.999);
    net.cycle();
    t.true(flood(net, net.living()[0]!).share >= 0.99, `${share}`);
    t.deepEqual(net.oneSided(), []);
  }
});

test('dead nodes that nobody reports are found by writing to them: every view is correct a few cycles later', (t) => {
  t.timeout(SLOW);
  for (const notice of ['write', 'later'] as const) {
    const net = new Cycles({ nodes: 500, seed: 9, notice }).build(12);
    net.fail(net.draw(0.5), false);
    for (let cycle = 0; cycle < 10; cycle++) net.cycle();
    t.deepEqual(net.oneSided(), []);
    t.deepEqual(net.graph().components(), [250]);
  }
});

/** Timeout in milliseconds for a busy machine; the test takes 5 s to 10 s otherwise. */
const SLOW = 300_000;
