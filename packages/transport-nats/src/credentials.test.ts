// Tests of NATS servers that require credentials: user and password, token, nkey, TLS, permissions.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeyAuthenticator, nkeys } from '@nats-io/nats-core';
import { startNatsServer } from '@trunkline/local-nats';
import { TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import type { NatsBackendOptions } from './nats-options.ts';
import { client, node } from './testing/nodes.ts';
import { natsTest as test } from './testing/server.ts';

/** Starts a server, and checks which clients may use it. */
async function check(
  t: ExecutionContext,
  config: string,
  right: NatsBackendOptions,
  wrong: Readonly<Record<string, NatsBackendOptions>>,
): Promise<void> {
  const server = await startNatsServer({ config });
  t.teardown(() => server.kill());
  const servers = server.address;
  const far = await node(t, { ...right, servers });
  const near = client(t, { ...right, servers });
  const request = new Uint8Array(200_000).fill(5);
  t.deepEqual(await near.send(far.localAddr(), 'echo', request), request);
  for (const [code, options] of Object.entries(wrong)) {
    const error = await t.throwsAsync(
      client(t, { ...options, servers }).send(far.localAddr(), 'echo', request),
      { instanceOf: TransportError },
    );
    t.is(error.code as string, code, error.message);
    t.is(error.sent, false);
    t.true(error.message.includes(servers), error.message);
  }
}

test('a user with a password', async (t) => {
  await check(
    t,
    'authorization { user: ada, password: secret }',
    { user: 'ada', pass: 'secret' },
    { unauthenticated: { user: 'ada', pass: 'wrong' } },
  );
});

test('a token', async (t) => {
  await check(t, 'authorization { token: secret }', { token: 'secret' }, { unauthenticated: {} });
});

test('an nkey', async (t) => {
  const [ada, eve] = [nkeys.createUser(), nkeys.createUser()];
  await check(
    t,
    `authorization { users: [{ nkey: ${ada.getPublicKey()} }] }`,
    { authenticator: nkeyAuthenticator(ada.getSeed()) },
    { unauthenticated: { authenticator: nkeyAuthenticator(eve.getSeed()) } },
  );
});

test('TLS, with and without the authority of the server', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-nats-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=nats',
      `-addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout ${key} -out ${cert}`,
    ].flatMap((text) => text.split(' ')),
    { stdio: 'ignore' },
  );
  await check(
    t,
    `tls { cert_file: "${cert}", key_file: "${key}" }`,
    { tls: { ca: readFileSync(cert, 'utf8') } },
    { unavailable: {} },
  );
});

test('each node needs only the permissions that the documentation names', async (t) => {
  const server = await startNatsServer({ config: PERMISSIONS });
  t.teardown(() => server.kill());
  const servers = server.address;
  const far = await node(t, {
    servers,
    user: 'orders',
    pass: 'secret',
    bindAddr: 'nats://broker/orders',
  });
  const near = client(t, { servers, user: 'web', pass: 'secret', node: 'web' });
  const request = new Uint8Array(100_000).fill(3);
  t.deepEqual(await near.send(far.localAddr(), 'echo', request), request);

  // The broker refuses anything that is not allowed, and the refusal is reported immediately.
  const other = await t.throwsAsync(near.send('nats://broker/billing', 'echo', request), {
    instanceOf: TransportError,
  });
  t.is(other.code, 'permission_denied');
  t.regex(other.message, /forbids this node to publish to 'trunkline\.default\.dial\.billing'/);
  const unnamed = client(t, { servers, user: 'web', pass: 'secret' });
  const subject = await t.throwsAsync(unnamed.send(far.localAddr(), 'echo', request), {
    instanceOf: TransportError,
  });
  t.is(subject.code, 'permission_denied');
  t.regex(subject.message, /forbids this node to subscribe to 'trunkline\.default\.in\./);
  const impostor = client(t, {
    servers,
    user: 'web',
    pass: 'secret',
    node: 'web',
    bindAddr: 'nats://broker/orders',
  });
  const listen = await t.throwsAsync(impostor.listen(), { instanceOf: TransportError });
  t.is(listen.code, 'permission_denied');
});

/** The permissions of docs/nats.md: 'orders' serves, 'web' calls it. */
const PERMISSIONS = `
authorization {
  users: [
    { user: orders, password: secret, permissions: {
        subscribe: ["trunkline.default.dial.orders", "trunkline.default.in.orders.>"],
        publish: ["trunkline.default.in.>"] } },
    { user: web, password: secret, permissions: {
        subscribe: ["trunkline.default.in.web.>"],
        publish: ["trunkline.default.dial.orders", "trunkline.default.in.orders.>"] } },
  ]
}`;
