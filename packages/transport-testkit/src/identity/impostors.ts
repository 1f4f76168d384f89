// Cases about impostors, which show another node's public key and cannot prove that they own it.

import { IMPOSTORS } from './backend.ts';
import { checkCall, checkRefused } from './refusals.ts';
import type { Cases } from './suite.ts';

// (`impostors` is always set when a body runs: `what` skips the case for a backend without it.)
export const impostorCases: Cases = (define, { impostors }) => {
  for (const how of IMPOSTORS) {
    for (const who of ['dialer', 'acceptor'] as const) {
      define(
        `${who === 'dialer' ? 'a dialer' : 'an acceptor'} that presents another's key and ${how} is refused at both ends`,
        async (f, t) => {
          const [victim, good] = [await f.open(), await f.open()];
          const bad = await f.open({ credentials: await impostors![how](victim.credentials) });
          const [dialer, acceptor] = who === 'dialer' ? [bad, good] : [good, bad];
          const refusal = {
            code: 'unauthenticated',
            reason: 'bad_certificate',
            says: /did not prove/,
            by: who === 'dialer' ? 'acceptor' : 'dialer',
          } as const;
          await checkRefused(f, dialer, acceptor.at, acceptor, refusal);
          t.is(
            (await checkCall(f, good, victim)).nodeId,
            victim.nodeId,
            'the victim itself is who it is',
          );
        },
        { what: 'impostors' },
      );
    }
  }

  define(
    'an impostor is not reachable by an id that it cannot prove',
    async (f) => {
      const [victim, good] = [await f.open(), await f.open()];
      // One of the ways is enough here, because each of them leaves the dialer without a proven id.
      const bad = await f.open({ credentials: await impostors![IMPOSTORS[0]](victim.credentials) });
      // Because an id was dialed, the missing id is reported instead of `bad_certificate`.
      const refusal = {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        says: /proved no id/,
        by: 'dialer',
      } as const;
      await checkRefused(f, good, `${victim.nodeId}@${bad.at}`, bad, refusal);
    },
    { what: 'impostors' },
  );
};
