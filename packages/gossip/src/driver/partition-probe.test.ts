// Tests of the dials to other nodes that a node with enough neighbors makes.

import test from 'ava';
import { PartitionProbe } from './gossip-driver.ts';

test('a node with enough neighbors dials one stranger a minute; one without leaves that to discovery', (t) => {
  const dialed: number[] = [];
  let now = 0;
  let isContent = true;
  const dials = {
    seek: () => {
      dialed.push(now / 1_000);
      return Promise.reject(new Error('nobody is there'));
    },
  };
  const partitionProbe = new PartitionProbe(
    { clock: { now: () => now } as never, random: () => 0.5 },
    { known: () => ['somebody'] },
    dials,
    () => isContent,
  );
  const run = (until: number) => {
    for (; Math.max(now, partitionProbe.due) <= until; partitionProbe.wake(now))
      now = Math.max(now, partitionProbe.due);
    now = until;
  };
  run(200_000);
  t.deepEqual(dialed, [60, 120, 180]);
  isContent = false;
  t.is(partitionProbe.due, Number.POSITIVE_INFINITY);
  run(400_000);
  partitionProbe.wake(now);
  t.is(dialed.length, 3);
  isContent = true;
  run(420_000);
  t.deepEqual(dialed.slice(3), [400]);
});
