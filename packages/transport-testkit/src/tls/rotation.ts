// Cases about certificates that change while a transport runs: new connections use the new
// certificates, and live connections stay.

import { count, STUCK } from '../identity/identity-fixture.ts';
import { checkCall, checkRefused, rejections } from '../identity/refusals.ts';
import type { Cases } from '../identity/suite.ts';
import { caught, checked } from '../transport/expect.ts';
import type { TlsCertificates } from './tls-credentials.ts';

export function rotationCases(certificates: TlsCertificates): Cases {
  return (define) => {
    define(
      'new connections use a renewed certificate in both directions, and live ones continue with their calls',
      async (f, t) => {
        const credentials = await certificates.node();
        const [a, b, c] = [await f.open({ credentials }), await f.open(), await f.open()];
        const remote = await checkCall(f, a, b);
        const stuck = caught(t, a.transport.send(b.at, 'echo', Uint8Array.of(STUCK)));
        await f.until('the call is in flight', () => b.served.length === 2);
        // An expired certificate shows which certificate is in use.
        await a.update({ credentials: await certificates.outdated(credentials) });
        const says = /expired/;
        await checkRefused(f, c, a.at, a, {
          code: 'unauthenticated',
          reason: 'expired_certificate',
          says,
          by: 'dialer',
        });
        await checkRefused(f, a, c.at, c, {
          code: 'unauthenticated',
          reason: 'expired_certificate',
          says,
          by: 'acceptor',
        });
        t.false(remote.closed);
        await a.update({ credentials: await certificates.renewed(credentials) });
        t.is((await checkCall(f, c, a)).nodeId, credentials.nodeId, 'the id is that of the key');
        await checkCall(f, a, c);
        t.is(await checkCall(f, a, b), remote);
        t.is(count(a, 'down') + count(b, 'down'), 0);
        await f.drive(b.transport.close());
        checked(t, await stuck, { code: 'unavailable' });
      },
    );

    define(
      'a new key gives a new id to new connections in both directions, and live ones keep the old id',
      async (f, t) => {
        const [a, b, c] = [await f.open(), await f.open(), await f.open()];
        const next = await certificates.node();
        const old = a.nodeId;
        const remote = await checkCall(f, a, b);
        const from = b.served[0]!.from;
        await a.update({ credentials: next });
        t.is((await c.transport.dial(a.at)).nodeId, next.nodeId);
        await a.transport.send(c.at, 'echo', Uint8Array.of(1));
        t.is(c.served[0]!.from.nodeId, next.nodeId);
        await a.transport.send(b.at, 'echo', Uint8Array.of(1));
        t.is(b.served.at(-1)!.from, from);
        t.is(from.nodeId, old);
        t.false(remote.closed);
        checked(t, await caught(t, b.transport.send(`${old}@${a.at}`, 'echo', Uint8Array.of(1))), {
          code: 'unauthenticated',
          reason: 'identity_mismatch',
          message: new RegExp(`(?=.*${old})(?=.*${next.nodeId})`),
        });
        await b.transport.send(`${next.nodeId}@${a.at}`, 'echo', Uint8Array.of(1));
        // The node may call itself, under its new id.
        t.is((await a.transport.dial(a.at)).nodeId, next.nodeId);
      },
    );

    for (const [title, { make, says }] of Object.entries(certificates.unusable)) {
      define(
        `${title} is refused as an update with invalid_argument, and the old one keeps working`,
        async (f, t) => {
          const [a, b, c] = [await f.open(), await f.open(), await f.open()];
          const remote = await checkCall(f, a, b);
          checked(t, await caught(t, a.update({ credentials: await make() })), {
            code: 'invalid_argument',
            message: says,
          });
          t.false(remote.closed);
          await checkCall(f, a, c);
          await checkCall(f, c, a);
          t.is(count(a, 'down'), 0);
        },
      );
    }

    define(
      'after a change of the authority, new connections from nodes of the old one are refused, and live ones continue',
      async (f, t) => {
        const credentials = await certificates.node();
        const [a, b] = [await f.open({ credentials }), await f.open()];
        const remote = await checkCall(f, b, a);
        await a.update({ credentials: await certificates.retrusted(credentials) });
        t.false(remote.closed);
        await checkCall(f, b, a);
        const says = /authority/;
        await checkRefused(f, b, `${credentials.nodeId}@${a.at}`, a, {
          code: 'unauthenticated',
          reason: 'bad_certificate',
          says,
          by: 'acceptor',
        });
        const before = rejections(a, 'out').length;
        await checkRefused(f, a, b.at, b, {
          code: 'unauthenticated',
          reason: 'bad_certificate',
          says,
          by: 'dialer',
        });
        t.is(rejections(a, 'out').length, before + 1);
        const foreign = await f.open({ credentials: await certificates.foreign() });
        await checkCall(f, foreign, a);
        await checkCall(f, a, foreign);
        t.is(count(b, 'down'), 0);
      },
    );
  };
}
