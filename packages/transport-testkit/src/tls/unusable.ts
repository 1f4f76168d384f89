// Cases about unusable credentials: listen() and send() report them before anything is bound or
// dialed.

import type { TransportError } from '@trunkline/transport-core';
import { checkCall, rejections } from '../identity/refusals.ts';
import type { Cases } from '../identity/suite.ts';
import { caught, checked, thrown } from '../transport/expect.ts';
import type { TlsCertificates } from './tls-credentials.ts';

export function unusableCases({ node, unusable, outdated, renewed }: TlsCertificates): Cases {
  return (define) => {
    for (const [title, { make, says }] of Object.entries(unusable)) {
      define(
        `${title} fails listen() and send() with invalid_argument, and no address is bound`,
        async (f, t) => {
          const other = await f.open();
          const place = await f.open();
          const address = place.at;
          await f.drive(place.transport.close());
          const bad = await f.create({ credentials: await make(), address });
          checked(t, await caught(t, bad.transport.listen()), {
            code: 'invalid_argument',
            message: says,
          });
          thrown(t, () => bad.transport.localAddr(), { code: 'failed_precondition' });
          checked(t, await caught(t, other.transport.dial(address)), {
            code: 'unavailable',
            reason: 'connection_refused',
          });
          const calls = [
            bad.transport.send(other.at, 'echo', Uint8Array.of(1)),
            bad.transport.send(other.at, 'hint', Uint8Array.of(1)),
            bad.transport.dial(other.at),
          ];
          for (const error of await Promise.all(calls.map((call) => caught(t, call)))) {
            checked(t, error, { code: 'invalid_argument', sent: false, message: says });
            t.is((error as TransportError).target, other.at);
          }
          t.deepEqual(rejections(other, 'in'), [], 'nobody was dialed');
          // The transport recovers once it has valid credentials.
          const { credentials } = place;
          await bad.update({ credentials });
          await bad.transport.listen();
          t.deepEqual(
            await bad.transport.send(other.at, 'echo', Uint8Array.of(1)),
            Uint8Array.of(1),
          );
          t.is(other.served.at(-1)!.from.nodeId, credentials.nodeId);
          t.deepEqual(
            await other.transport.send(`${credentials.nodeId}@${bad.at}`, 'echo', Uint8Array.of(2)),
            Uint8Array.of(2),
          );
        },
      );
    }

    define(
      'an expired certificate does not prevent listen: peers refuse it, and a renewed one is accepted',
      async (f) => {
        const credentials = await node();
        const [a, b] = [await f.open({ credentials: await outdated(credentials) }), await f.open()];
        await b.transport.dial(a.at).then(
          () => f.t.fail('it is refused'),
          (error) => f.t.is(error.reason, 'expired_certificate'),
        );
        await a.update({ credentials: await renewed(credentials) });
        await checkCall(f, b, a);
      },
    );
  };
}
