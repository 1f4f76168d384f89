// Cases about the id that a dialer wants to reach: if another node answers, it receives nothing
// that was meant for that id.

import { RAW_PREAMBLE } from '../raw/raw-peer.ts';
import { caught, checked } from '../transport/expect.ts';
import { checkCall, checkRefused } from './refusals.ts';
import type { Cases } from './suite.ts';

export const dialedCases: Cases = (define) => {
  define(
    'a node with another id than the dialed one fails with identity_mismatch and both ids at both ends, before any application data',
    async (f, t) => {
      const meant = await f.backend.credentials();
      const [a, b] = [await f.open(), await f.open()];
      const target = `${meant.nodeId}@${b.at}`;
      const says = new RegExp(`(?=.*${meant.nodeId})(?=.*${b.nodeId})`);
      await checkRefused(f, a, target, b, {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        says,
        by: 'dialer',
      });
      t.is((await f.event(a, 'dialFailed')).target, target);
      // The right id, and no id, still work.
      await checkCall(f, a, b, `${b.nodeId}@${b.at}`);
      await checkCall(f, a, b);
      // A live connection to the address does not circumvent the check of the id.
      checked(t, await caught(t, a.transport.send(target, 'echo', Uint8Array.of(1))), {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        sent: false,
      });
    },
  );

  define('the wrong node gets a preamble and a refusal, but no hello', async (f, t) => {
    const meant = await f.backend.credentials();
    const wrong = await f.backend.credentials();
    const a = await f.open({ options: { hello: { token: 'secret' } } });
    const listener = await f.rawListen(f.backend.layer(wrong));
    const dialed = caught(
      t,
      a.transport.send(`${meant.nodeId}@${listener.address}`, 'echo', Uint8Array.of(1)),
    );
    const peer = await listener.next();
    t.deepEqual(await peer.preamble(), RAW_PREAMBLE);
    const bye = await peer.next('GO_AWAY');
    t.is(bye.code, 16); // unauthenticated
    t.is(bye.reason, 10); // identity_mismatch
    checked(t, await dialed, { code: 'unauthenticated', reason: 'identity_mismatch', sent: false });
    await peer.expectClosed();
    t.is(peer.log.length, 1, 'only the refusal was received');
    t.deepEqual(a.asked, [], 'the dialer asked its user nothing');
  });

  define(
    'a resolver that returns the wrong node has no effect, because only the id counts',
    async (f) => {
      const [b, evil] = [await f.open(), await f.open()];
      const a = await f.open({ options: { resolve: () => evil.at } });
      const says = new RegExp(`(?=.*${b.nodeId})(?=.*${evil.nodeId})`);
      await checkRefused(f, a, `${b.nodeId}@${b.at}`, evil, {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        says,
        by: 'dialer',
      });
    },
  );

  define('the right id is reached, by its address or at two of them', async (f, t) => {
    const credentials = await f.backend.credentials();
    const [a, b, other] = [
      await f.open(),
      await f.open({ credentials }),
      await f.open({ credentials }),
    ];
    const first = await checkCall(f, a, b, `${credentials.nodeId}@${b.at}`);
    const second = await checkCall(f, a, other, `${credentials.nodeId}@${other.at}`);
    t.not(first, second);
    t.is(first.nodeId, second.nodeId);
    t.not(first.instance, second.instance, 'the node runs twice');
    t.is(b.transport.remotes().length, 1);
    t.is(other.transport.remotes().length, 1);
  });
};
