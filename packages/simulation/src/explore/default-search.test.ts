// Tests that the default search finds the classic bug of a lock with leases, and that a correct
// lock passes it.

import { serve } from '@trunkline/transport-core';
import type { Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { serving, testProtocol } from '../testing/test-protocol.ts';
import { explore } from './explore.ts';

/** Milliseconds for which the lock belongs to its holder. */
const LEASE = 1_000;

/**
 * A lock with leases, after Kleppmann (How to do distributed locking, 2016). A holder that is
 * paused until its lease is over writes all the same, unless the storage compares tokens.
 */
function lock(isFenced: boolean) {
  return async (sim: Simulation) => {
    let token = 0;
    let latest = 0;
    let stale: number | undefined;
    sim.node('lock', async ({ transport, clock }) => {
      const node = transport(testProtocol);
      // The lock may have crashed, and has forgotten who holds it.
      let end = clock.now() + LEASE;
      serve(node, {
        echo() {
          if (clock.now() < end) return 'no';
          end = clock.now() + LEASE;
          return String(++token);
        },
      });
      await node.listen();
    });
    sim.node(
      'storage',
      serving(testProtocol, {
        echo(text) {
          const written = Number(text);
          if (written < latest && isFenced) return 'refused';
          if (written < latest) stale = written;
          latest = Math.max(latest, written);
          return 'written';
        },
      }),
    );
    for (const name of ['a', 'b'])
      sim.node(name, async ({ transport, clock }) => {
        const node = transport(testProtocol);
        const call = (to: string, text: string) =>
          node.send(to, 'echo', text, { timeout: 500 }).catch(() => 'no');
        for (;;) {
          const asked = clock.now();
          const answer = await call('lock', name);
          const isHeld = answer !== 'no' && clock.now() < asked + LEASE / 2;
          await clock.sleep(300); // the work, for which there is time enough
          if (isHeld) await call('storage', answer);
        }
      });
    sim.always('no stale write', () => {
      if (stale !== undefined) throw new Error(`${stale} wrote after ${latest}`);
    });
    await sim.run(30_000);
  };
}

test('the default search finds the lock without fencing, within 20 seeds', async (t) => {
  const { failed } = await explore({ scenario: lock(false), seeds: 20, shrink: false });
  t.is(failed[0]?.error.invariant, 'no stale write');
});

test('the lock with fencing passes two seeds of each profile', async (t) => {
  const { failed, passed } = await explore({ scenario: lock(true), seeds: 24 });
  t.deepEqual(failed, []);
  t.is(passed, 24);
});
