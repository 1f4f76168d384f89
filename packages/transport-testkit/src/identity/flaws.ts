// Cases about the flawed credentials of `IdentityBackend.refused`: expired ones, and those of
// impostors, which show another node's key without owning it. Both ends learn the reason, and
// nothing is dispatched.

import { caught, checked } from '../transport/expect.ts';
import { checkCall, checkRefused } from './refusals.ts';
import type { Cases } from './suite.ts';

export const flawCases: Cases = (define, { refused = {} }) => {
  for (const [flaw, { make, reason, says }] of Object.entries(refused)) {
    define(`${flaw} is refused at both ends (presented by a dialer)`, async (f) => {
      const [victim, good] = [await f.open(), await f.open()];
      const bad = await f.open({ credentials: await make(victim.credentials) });
      await checkRefused(f, bad, good.at, good, {
        code: 'unauthenticated',
        reason,
        says,
        by: 'acceptor',
      });
      await checkCall(f, victim, good);
    });

    define(`${flaw} is refused at both ends (presented by an acceptor)`, async (f, t) => {
      const [victim, good] = [await f.open(), await f.open()];
      const bad = await f.open({ credentials: await make(victim.credentials) });
      await checkRefused(f, good, bad.at, bad, {
        code: 'unauthenticated',
        reason,
        says,
        by: 'dialer',
      });
      // It is not reached by its id either. An impostor that proved no id is not the dialed node.
      const byId = good.transport.send(`${bad.nodeId}@${bad.at}`, 'echo', Uint8Array.of(1));
      checked(t, await caught(t, byId), {
        code: 'unauthenticated',
        reason: bad.nodeId === victim.nodeId ? 'identity_mismatch' : reason,
        sent: false,
      });
      t.deepEqual(bad.served, []);
      await checkCall(f, good, victim);
    });
  }
};
