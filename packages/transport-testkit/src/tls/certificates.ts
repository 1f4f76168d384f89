// Cases about certificates that no transport of ours presents: keys of other kinds, none, and long
// chains. Both ends refuse them with the reason, and the next connection is served.

import { TransportError } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { count } from '../identity/identity-fixture.ts';
import { checkCall, rejections } from '../identity/refusals.ts';
import type { Cases } from '../identity/suite.ts';
import { caught, checked } from '../transport/expect.ts';
import type { TlsCertificates, TlsFlaw } from './tls-credentials.ts';

/** Returns the cases; `unsupported` makes the layers of peers that present such certificates. */
export function certificateCases(
  { giant }: TlsCertificates,
  unsupported: Readonly<Record<string, TlsFlaw<StreamLayer>>>,
): Cases {
  return (define) => {
    for (const [title, { make, says }] of Object.entries(unsupported)) {
      define(`${title} is refused at both ends (presented by a dialer)`, async (f, t) => {
        const [good, other] = [await f.open(), await f.open()];
        const peer = await f.rawDial(await make(), good.at);
        peer.begin({ kind: 'HELLO' });
        const bye = await peer.next('GO_AWAY');
        t.is(`${bye.code}/${bye.reason}`, '16/15');
        t.regex(bye.text, says);
        await peer.expectClosed();
        t.is(peer.log.length, 1, 'the GO_AWAY is the only frame that the peer gets');
        await f.until('the observer reports a rejection', () => rejections(good, 'in').length > 0);
        checked(t, rejections(good, 'in')[0]!.error, {
          code: 'unauthenticated',
          reason: 'bad_certificate',
          message: says,
        });
        t.is(count(good, 'up'), 0);
        t.deepEqual(good.asked, []);
        t.deepEqual(good.served, []);
        await checkCall(f, other, good);
      });
      // A TLS server always shows a certificate.
      if (title === 'no certificate') continue;
      define(`${title} is refused at both ends (presented by an acceptor)`, async (f, t) => {
        const [good, other] = [await f.open(), await f.open()];
        const listener = await f.rawListen(await make());
        checked(
          t,
          await caught(t, good.transport.send(listener.address, 'echo', Uint8Array.of(1))),
          {
            code: 'unauthenticated',
            reason: 'bad_certificate',
            sent: false,
            message: says,
          },
        );
        for (const peer of listener.peers) {
          await peer.expectClosed();
          t.is(peer.count('HELLO') + peer.count('REQUEST'), 0);
          t.deepEqual(
            peer.log.map(({ code, reason }) => `${code}/${reason}`),
            ['16/15'],
          );
        }
        t.deepEqual(good.asked, []);
        await checkCall(f, good, other);
      });
    }

    for (const who of ['dialer', 'acceptor'] as const) {
      define(
        `a chain of hundreds of certificates is refused without being read to its end (presented by ${who === 'dialer' ? 'a dialer' : 'an acceptor'})`,
        async (f, t) => {
          const [bad, good, other] = [
            await f.open({ credentials: await giant() }),
            await f.open(),
            await f.open(),
          ];
          const [dialer, acceptor] = who === 'dialer' ? [bad, good] : [good, bad];
          const calls = [
            dialer.transport.send(acceptor.at, 'echo', Uint8Array.of(1)),
            dialer.transport.dial(acceptor.at),
          ];
          const errors = await Promise.all(calls.map((call) => caught(t, call)));
          const { error } = await f.event(acceptor, 'rejected');
          for (const each of errors)
            t.true(
              each instanceof TransportError && each.sent === false && each.target === acceptor.at,
              String(each),
            );
          // The end that checks the certificate reports the flaw. The other end may be disconnected
          // while it still writes, and then learns only of the disconnect.
          for (const found of who === 'dialer' ? [error] : errors) {
            checked(t, found, {
              code: 'unauthenticated',
              reason: 'bad_certificate',
              message: /TLS handshake/,
            });
          }
          t.log(
            who === 'dialer'
              ? `the dialer: ${String(errors[0])}`
              : `the acceptor: ${String(error)}`,
          );
          t.is(count(good, 'up') + count(bad, 'up'), 0);
          t.deepEqual([...bad.served, ...good.served], []);
          await checkCall(f, other, good);
        },
      );
    }
  };
}
