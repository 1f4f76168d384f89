// Table 1 of the paper, measured with the real machines: 10,000 nodes in lockstep over a symmetric
// random overlay of degree 5.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { plumtreeOptions } from './options.ts';
import { round, trial } from './testing/measure.ts';

const NODES = 10_000;
/** Options of the paper's simulation: notices are sent at once, and there are no probes. */
const paper = { ...plumtreeOptions({ noticeDelay: 0 }), trialAfter: 2 ** 24 };
const NEVER = 0xffff;

for (const [title, optimizeAt, isMany, [least, most], redundancy, hops] of [
  ['one sender', NEVER, false, [29_987 * 0.98, 29_987 * 1.02], 0, 10],
  ['one sender, optimized', 3, false, [29_989 * 0.98, 29_989 * 1.02], 0, 10],
  ['many senders', NEVER, true, [29_990 * 0.98, 29_990 * 1.02], 0, 75],
  // Our tree is less deep than the paper's, so there is less to optimize.
  ['many senders, optimized', 7, true, [29_990, 38_976], 0.05, 20],
] as const) {
  test(`10,000 nodes, ${title}: a flood, then one payload per node and at most the paper’s control messages`, (t) => {
    const options = { ...paper, optimizeAt };
    const network = trial({ nodes: NODES, degree: 5, seed: 1, latency: [1, 1], options });
    const random = seededRandom(7);
    const [first, ...stable] = Array.from({ length: isMany ? 8 : 4 }, () =>
      round(network, [isMany ? Math.floor(random() * NODES) : 4_711], 2_000),
    );
    // The first message goes over every link: eager push costs 39,984.
    t.true(Math.abs(first!.payloads / 39_984 - 1) < 0.02, `${first!.payloads}`);
    for (const { missed, control, ...figures } of stable) {
      t.is(missed, 0);
      t.true(control >= least && control <= most, `${control}`);
      t.true(figures.redundancy <= redundancy, `${figures.redundancy}`);
      t.true(figures.lastHop <= hops, `${figures.lastHop}`);
    }
  });
}
