// Cases about lists at the handshake: `deny` takes precedence over `allow` at both ends.

import { checkCall, checkRefused, type ExpectedRefusal } from './refusals.ts';
import type { Cases } from './suite.ts';

const denied = (by: ExpectedRefusal['by'], id: string): ExpectedRefusal => ({
  code: 'permission_denied',
  reason: 'denied',
  says: new RegExp(id),
  by,
});

export const listCases: Cases = (define, { untrusting }) => {
  define(
    'a denied node is refused at the handshake, and the others are not (the acceptor denies)',
    async (f) => {
      const [a, c] = [await f.open(), await f.open()];
      const b = await f.open({ lists: { deny: [a.nodeId] } });
      await checkRefused(f, a, b.at, b, denied('acceptor', a.nodeId));
      await checkCall(f, c, b);
    },
  );

  define(
    'a denied node is refused at the handshake, and the others are not (the dialer denies)',
    async (f) => {
      const [b, c] = [await f.open(), await f.open()];
      const a = await f.open({ lists: { deny: [b.nodeId] } });
      await checkRefused(f, a, b.at, b, denied('dialer', b.nodeId));
      await checkRefused(f, a, `${b.nodeId}@${b.at}`, b, denied('dialer', b.nodeId));
      await checkCall(f, a, c);
    },
  );

  define('two nodes that deny each other are refused, and both learn the reason', async (f) => {
    const [here, there] = [await f.backend.credentials(), await f.backend.credentials()];
    const a = await f.open({ credentials: here, lists: { deny: [there.nodeId] } });
    const b = await f.open({ credentials: there, lists: { deny: [here.nodeId] } });
    await checkRefused(f, a, b.at, b, denied('both', `${here.nodeId}|${there.nodeId}`));
  });

  define('deny overrides allow and a dialed id', async (f) => {
    const a = await f.open();
    const b = await f.open({ lists: { allow: [a.nodeId], deny: [a.nodeId] } });
    await checkRefused(f, a, b.at, b, denied('acceptor', a.nodeId));
    await checkRefused(f, b, `${a.nodeId}@${a.at}`, a, denied('dialer', a.nodeId));
  });

  define('with a list only its members are accepted (as acceptor)', async (f) => {
    const [a, c] = [await f.open(), await f.open()];
    const b = await f.open({ lists: { allow: [c.nodeId] } });
    await checkRefused(f, a, b.at, b, denied('acceptor', a.nodeId));
    await checkCall(f, c, b);
  });

  define('with a list only its members are reached by an address (as dialer)', async (f) => {
    const [b, c] = [await f.open(), await f.open()];
    const a = await f.open({ lists: { allow: [c.nodeId] } });
    await checkRefused(f, a, b.at, b, denied('dialer', b.nodeId));
    await checkCall(f, a, c);
  });

  define('an empty list admits no node', async (f) => {
    const a = await f.open();
    const b = await f.open({ lists: { allow: [] } });
    await checkRefused(f, a, b.at, b, denied('acceptor', a.nodeId));
    await checkCall(f, b, b);
  });

  if (untrusting === undefined) return;
  const alone = () => untrusting.alone();
  define(
    'without an authority no node is trusted, neither one that dials nor one that is dialed by address',
    async (f) => {
      const [a, b] = [
        await f.open({ credentials: await alone() }),
        await f.open({ credentials: await alone() }),
      ];
      await checkRefused(f, a, b.at, b, denied('both', `${a.nodeId}|${b.nodeId}`));
      // The acceptor is trusted because it was dialed by its id, but it does not trust the dialer
      // in turn.
      await checkRefused(f, a, `${b.nodeId}@${b.at}`, b, denied('acceptor', a.nodeId));
    },
  );

  define(
    'without an authority the dialed id is trusted, or with a list only its members',
    async (f) => {
      const here = await alone();
      const a = await f.open({ credentials: here });
      const b = await f.open({ credentials: await alone(), lists: { allow: [here.nodeId] } });
      await checkCall(f, a, b, `${b.nodeId}@${b.at}`);
      await checkRefused(f, a, b.at, b, denied('dialer', b.nodeId));
      await checkCall(f, b, a, `${a.nodeId}@${a.at}`).then(
        () => f.t.fail('the acceptor trusts nobody'),
        (error) => f.t.is(error.reason, 'denied'),
      );
      await a.update({ allow: [b.nodeId] });
      await checkCall(f, b, a, a.at);
      const c = await f.open({ credentials: await alone(), lists: { allow: [b.nodeId] } });
      await checkRefused(f, b, `${c.nodeId}@${c.at}`, c, denied('dialer', c.nodeId));
    },
  );
};
