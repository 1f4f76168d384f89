// The part of a search's result that tests compare, and replays of it.

import process from 'node:process';
import type { ExecutionContext } from 'ava';
import type { ExploreResult } from '../explore.ts';

/** Returns the part of a result that does not depend on the machine. */
export function content({ passed, failed, virtualHours }: ExploreResult) {
  return {
    passed,
    virtualHours,
    failed: failed.map(({ error, ...rest }) => ({
      ...rest,
      message: error.message,
      name: error.name,
      invariant: error.invariant,
      at: error.at,
    })),
  };
}

/** Sets SEED in the environment for the rest of a test, as a pasted replay line does. */
export function ask(t: ExecutionContext, replay: string): void {
  process.env['SEED'] = /^SEED=(\S+) /.exec(replay)![1]!;
  t.teardown(() => delete process.env['SEED']);
}
