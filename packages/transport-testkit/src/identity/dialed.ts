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
    t.is(bye.code, 16);
    t.is(bye.reason, 10);
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

  define(
    'a dialed id on a plain backend fails with identity_mismatch, because nothing is proven there',
    async (f, t) => {
      const someone = await f.backend.credentials();
      const [a, b] = [await f.openPlain(), await f.openPlain()];
      const error = await caught(
        t,
        a.transport.send(`${someone.nodeId}@${b.at}`, 'echo', Uint8Array.of(1)),
      );
      checked(t, error, {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        sent: false,
        message: new RegExp(`${someone.nodeId}.*proved no id`),
      });
      checked(t, (await f.event(b, 'rejected')).error, {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
      });
      t.is(
        (await a.transport.dial(b.at)).nodeId,
        undefined,
        'without an id it is reached, and proves none',
      );
      t.is(b.transport.remotes()[0]?.nodeId, undefined);
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
    t.is(b.transport.remotes().length, 1);
    t.is(other.transport.remotes().length, 1);
  });

  define(
    'the pool keeps connections to an address apart from those to an id at that address',
    async (f, t) => {
      const [a, b] = [await f.open(), await f.open()];
      const bare = await checkCall(f, a, b);
      const named = await checkCall(f, a, b, `${b.nodeId}@${b.at}`);
      t.not(bare, named);
      t.is(await a.transport.dial(b.at), bare);
      t.is(await a.transport.dial(`${b.nodeId}@${b.at}`), named);
      await f.drive(a.transport.disconnect(b.at));
      t.true(bare.closed);
      t.false(named.closed, 'one is closed without the other');
      // A live connection to the address does not circumvent the check of the id.
      await checkCall(f, a, b);
      const { nodeId } = await f.backend.credentials();
      checked(t, await caught(t, a.transport.send(`${nodeId}@${b.at}`, 'echo', Uint8Array.of(1))), {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        sent: false,
      });
    },
  );

  define(
    'a wrong id, a wrong network, a refusal by admit and a denied node have four different reasons',
    async (f, t) => {
      const meant = await f.backend.credentials();
      const a = await f.open();
      const foreign = await f.open({ options: { network: 'other' } });
      const b = await f.open({
        options: {
          admit: () => {
            throw new Error('not today');
          },
        },
      });
      const c = await f.open({ lists: { deny: [a.nodeId] } });
      const why = async (target: string) => {
        const error = (await caught(t, a.transport.send(target, 'echo', Uint8Array.of(1)))) as {
          code: string;
          reason: string;
        };
        return `${error.code}/${error.reason}`;
      };
      t.is(await why(`${meant.nodeId}@${b.at}`), 'unauthenticated/identity_mismatch');
      t.is(await why(foreign.at), 'failed_precondition/wrong_network');
      t.is(await why(b.at), 'permission_denied/refused');
      t.is(await why(c.at), 'permission_denied/denied');
    },
  );
};
