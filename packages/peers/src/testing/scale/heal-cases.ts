// Test cases for the time that a network takes to become whole again after a partition.

import type { TestFn } from 'ava';
import { seeds } from '../seeds.ts';
import { heal } from './heal.ts';

const MINUTE = 60_000;

/**
 * Declares the test cases for networks in which each node knows one common node (`common`) or some
 * node that started earlier (`earlier`).
 */
export function healCases(test: TestFn, knows: 'common' | 'earlier'): void {
  test.serial(
    `with room for all, every pair is linked within a minute of a partition’s end: each knows ${knows === 'common' ? 'the same node' : 'some other node'}`,
    async (t) => {
      for (const seed of seeds(2)) {
        const { healed, parts } = await heal({ seed, nodes: 40, caps: 'all', knows });
        t.deepEqual(parts, [28], `seed ${seed}`);
        t.true(healed !== undefined && healed <= MINUTE, `seed ${seed}: ${healed} ms`);
      }
    },
  );

  test.serial(
    `with few links each, all form one graph and have as many links as they want within a minute: each knows ${knows === 'common' ? 'one seed' : 'some other node'}`,
    async (t) => {
      for (const seed of seeds(3)) {
        const { healed, parts } = await heal({
          seed,
          nodes: 60,
          caps: 'default',
          outbound: 5,
          knows,
        });
        t.is(parts.length, 1, `seed ${seed}`);
        t.true(healed !== undefined && healed <= MINUTE, `seed ${seed}: ${healed} ms`);
      }
    },
  );
}
