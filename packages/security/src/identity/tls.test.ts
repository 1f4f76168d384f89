// Tests that Node's TLS accepts the certificates of identities and authorities. The identity suite
// tests which it rejects.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import test from 'ava';
import { createAuthority } from './authority.ts';
import { createIdentity, type Identity } from './identity.ts';
import { nodeIdOf } from './node-id.ts';
import { KEY_TYPES } from './public-key.ts';
import { selfSigned } from './self-signed.ts';

interface End {
  identity: Identity;
  cert: string;
  ca: string;
}
interface Seen {
  authorized: boolean;
  error: unknown;
  nodeId: string;
  protocol: string | null;
}

/** Performs a TLS handshake and returns each end's view of the other. */
async function handshake(server: End, client: End): Promise<{ server: Seen; client: Seen }> {
  const common = ({ identity, cert, ca }: End) =>
    ({ key: identity.key, cert, ca, minVersion: 'TLSv1.3', rejectUnauthorized: false }) as const;
  const listener = createServer({ ...common(server), requestCert: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, 'secureConnection');
  const socket = connect({
    ...common(client),
    port,
    host: '127.0.0.1',
    checkServerIdentity: () => undefined,
  });
  const [[peer]] = (await Promise.all([accepted, once(socket, 'secureConnect')])) as [
    [TLSSocket],
    unknown,
  ];
  const seen = { server: look(peer), client: look(socket) };
  socket.destroy();
  peer.destroy();
  listener.close();
  await once(listener, 'close');
  return seen;
}

function look(socket: TLSSocket): Seen {
  const nodeId = nodeIdOf(socket.getPeerX509Certificate()!.toString());
  return {
    authorized: socket.authorized,
    error: socket.authorizationError,
    nodeId,
    protocol: socket.getProtocol(),
  };
}

const wellOf = (identity: Identity): Seen => ({
  authorized: true,
  error: null as unknown,
  nodeId: identity.nodeId,
  protocol: 'TLSv1.3',
});

for (const serverType of KEY_TYPES) {
  for (const clientType of KEY_TYPES) {
    test(`self-signed: a ${serverType} server and a ${clientType} client trust each other if each has the other's certificate`, async (t) => {
      const [a, b] = [createIdentity({ type: serverType }), createIdentity({ type: clientType })];
      const [certA, certB] = [await selfSigned(a), await selfSigned(b)];
      const seen = await handshake(
        { identity: a, cert: certA, ca: certB },
        { identity: b, cert: certB, ca: certA },
      );
      t.deepEqual(seen, { server: wellOf(b), client: wellOf(a) });
    });
  }

  for (const type of KEY_TYPES) {
    test(`two ${type} nodes of a ${serverType} authority trust each other`, async (t) => {
      const authority = await createAuthority({ identity: createIdentity({ type: serverType }) });
      const [a, b] = [createIdentity({ type }), createIdentity({ type })];
      const end = async (identity: Identity) => ({
        identity,
        cert: await authority.issue(identity.publicKey),
        ca: authority.cert,
      });
      t.deepEqual(await handshake(await end(a), await end(b)), {
        server: wellOf(b),
        client: wellOf(a),
      });
    });
  }
}

test('a node cannot admit others: certificates that it signs are not trusted', async (t) => {
  const authority = await createAuthority();
  const [a, b] = [createIdentity(), createIdentity()];
  const certA = await authority.issue(a, { name: 'a' });
  const posing = await createAuthority({ identity: a, name: 'a' });
  const certB = await posing.issue(b);
  const seen = await handshake(
    { identity: a, cert: certA, ca: authority.cert },
    { identity: b, cert: certB + certA, ca: authority.cert },
  );
  t.false(seen.server.authorized);
});
