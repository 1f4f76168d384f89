// Cases about the id that a hello claims: it must be the proven id, and proves nothing by itself.

import { rawHello } from '../raw/raw-hello.ts';
import type { RawPeer } from '../raw/raw-peer.ts';
import { caught, checked } from '../transport/expect.ts';
import type { IdentityCredentials } from './backend.ts';
import { count, type IdentityFixture, type IdentityNode } from './identity-fixture.ts';
import { rejections } from './refusals.ts';
import type { Cases } from './suite.ts';

export const claimCases: Cases = (define) => {
  define(
    'a hello that claims another id than the proven one is refused with both ids (as acceptor)',
    async (f, t) => {
      const [node, claimant, victim] = [
        await f.open(),
        await f.backend.credentials(),
        await f.backend.credentials(),
      ];
      const peer = await f.rawDial(f.backend.layer(claimant), node.at);
      peer.begin({ kind: 'HELLO', hello: rawHello({ nodeId: victim.nodeId }) });
      await refusedClaim(f, node, peer, claimant, victim);
      t.is(peer.count('HELLO'), 0);
    },
  );

  define(
    'a hello that claims another id than the proven one is refused with both ids (as dialer)',
    async (f, t) => {
      const [node, claimant, victim] = [
        await f.open(),
        await f.backend.credentials(),
        await f.backend.credentials(),
      ];
      const listener = await f.rawListen(f.backend.layer(claimant));
      const dialed = caught(t, node.transport.send(listener.address, 'echo', Uint8Array.of(1)));
      const peer = await listener.next();
      await peer.next('HELLO');
      peer.begin({ kind: 'HELLO', hello: rawHello({ nodeId: victim.nodeId }) });
      await refusedClaim(f, node, peer, claimant, victim);
      checked(t, await dialed, {
        code: 'unauthenticated',
        reason: 'identity_mismatch',
        sent: false,
        message: new RegExp(victim.nodeId),
      });
      t.is(peer.count('READY') + peer.count('REQUEST'), 0);
    },
  );

  define(
    'a hello that claims the proven id, or none, is accepted, and calls carry the proven id',
    async (f, t) => {
      const node = await f.open();
      for (const claims of [true, false]) {
        const credentials = await f.backend.credentials();
        const peer = await f.rawDial(f.backend.layer(credentials), node.at);
        const hello = await peer.handshake({ nodeId: claims ? credentials.nodeId : '' });
        t.true(
          hello.nodeId === '' || hello.nodeId === node.nodeId,
          'it claims no other id than its own',
        );
        peer.send({ kind: 'REQUEST', id: 1, channel: 0x20, method: 1, payload: Uint8Array.of(1) });
        await peer.next('RESPONSE');
        t.is(node.served.at(-1)!.from.nodeId, credentials.nodeId);
      }
    },
  );
};

async function refusedClaim(
  f: IdentityFixture,
  node: IdentityNode,
  peer: RawPeer,
  claimant: IdentityCredentials,
  victim: IdentityCredentials,
): Promise<void> {
  const { t } = f;
  const bye = await peer.next('GO_AWAY');
  t.is(bye.code, 16); // unauthenticated
  t.is(bye.reason, 10); // identity_mismatch
  t.regex(bye.text, new RegExp(`(?=.*${victim.nodeId})(?=.*${claimant.nodeId})`));
  await peer.expectClosed();
  await f.until('the observer reports a rejection', () => rejections(node).length > 0);
  checked(t, rejections(node)[0]!.error, {
    code: 'unauthenticated',
    reason: 'identity_mismatch',
    message: new RegExp(victim.nodeId),
  });
  t.is(count(node, 'up'), 0);
  t.deepEqual(node.served, []);
  t.deepEqual(
    node.asked.filter((question) => question.startsWith('admit')),
    [],
  );
}
