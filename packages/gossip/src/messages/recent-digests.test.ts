// Tests of the ring buffer of content digests.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { RecentDigests } from './recent-digests.ts';

test('the digests that are kept are those that a list would keep if the oldest went first', (t) => {
  const random = seededRandom(1);
  for (const most of [1, 5, 16, 50, 200]) {
    const digests = new RecentDigests(most);
    const model: { life: number; sequence: number; digest: number; at: number }[] = [];
    for (let step = 0; step < 2_000; step++) {
      if (random() < 0.1 && model.length > 0) {
        digests.dropOldest();
        model.shift();
      } else {
        const one = {
          life: Math.floor(random() * 3),
          sequence: 1_000 * step + Math.floor(random() * 1_000),
          digest: Math.floor(random() * 2 ** 53),
          at: step,
        };
        digests.keep(one.life, one.sequence, one.digest, one.at);
        model.push(one);
        if (model.length > most) model.shift();
      }
      t.is(digests.size, model.length);
      t.is(digests.oldest, model[0]?.at ?? Number.POSITIVE_INFINITY);
      const probe = model[Math.floor(random() * model.length)];
      if (probe === undefined) continue;
      t.is(digests.get(probe.life, probe.sequence), probe.digest);
      t.is(digests.get(probe.life + 3, probe.sequence), -1);
    }
  }
});

test('a removed digest is not found, although another has its place', (t) => {
  const digests = new RecentDigests(16);
  for (let sequence = 0; sequence < 1_000; sequence++) {
    digests.keep(1, sequence, sequence + 7, sequence);
    for (let back = 0; back < 40 && back <= sequence; back++)
      t.is(digests.get(1, sequence - back), back < 16 ? sequence - back + 7 : -1);
  }
  digests.dropOldest();
  t.deepEqual([digests.get(1, 984), digests.get(1, 985)], [-1, 992]);
});

test('sequences chosen to collide cost no more than others', (t) => {
  const digests = new RecentDigests(16_384);
  t.timeout(60_000);
  // The sequences are equal in the 32 bits that decide the slot.
  for (let i = 0; i < 100_000; i++) {
    digests.keep(1, 5 + i * 2 ** 32, i, i);
    digests.get(1, 6 + i * 2 ** 32);
    digests.get(1, 5);
  }
  t.is(digests.size, 16_384);
  t.is(digests.get(1, 5 + 99_999 * 2 ** 32), 99_999);
});

test('with room for none, none is kept', (t) => {
  const digests = new RecentDigests(0);
  digests.keep(1, 1, 1, 1);
  t.is(digests.size, 0);
  t.is(digests.get(1, 1), -1);
});
