// Tests of permissions that a server takes away while nodes run.

import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { type NatsServer, startNatsServer } from '@trunkline/local-nats';
import { serveHealth } from '@trunkline/resilience/health';
import type { ObserverEvent, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { serveNats } from './serve-nats.ts';
import { client, eventually, node } from './testing/nodes.ts';
import { natsTest as test } from './testing/server.ts';

const EVERYTHING = { subscribe: '">"', publish: '">"' };
const credentials = { user: 'orders', pass: 'secret' };
const bindAddr = 'nats://broker/orders';

test('a node may not listen anymore: its listener fails, it is not ready, and it listens again', async (t) => {
  await revoked(t, {
    change: { subscribe: '"trunkline.default.in.>"' },
    message: /Cannot listen at .*forbids this node to subscribe to 'trunkline.default.dial.orders'/,
  });
});

test('a node may not receive replies anymore: its listener fails as well', async (t) => {
  await revoked(t, {
    change: { subscribe: '"trunkline.default.dial.>"' },
    message:
      /Cannot listen at .*forbids this node to subscribe to 'trunkline.default.in.orders\.\w+'/,
  });
});

test('a node may not answer anymore: each dial that it cannot accept is an event', async (t) => {
  const { server, events } = await scene(t);
  await server.reload(permissions({ ...EVERYTHING, publish: '"other"' }));
  const near = client(t, { servers: server.address, user: 'web', pass: 'secret' });
  near.send(bindAddr, 'who', null).catch(() => {});
  await eventually(() => events.some(({ type }) => type === 'acceptFailed'));
  const event = events.find(({ type }) => type === 'acceptFailed') as { error: TransportError };
  t.is(event.error.code, 'permission_denied');
  t.regex(event.error.message, /forbids this node to publish to 'trunkline.default.in\./);
});

test('a caller may not receive anymore: its call fails at once', async (t) => {
  const { server, events } = await scene(t);
  const near = client(t, { servers: server.address, user: 'web', pass: 'secret', node: 'web' });
  await near.send(bindAddr, 'echo', new Uint8Array(1));
  const call = near.send(bindAddr, 'fail', 'hold', { timeout: 3_600_000 });
  await server.reload(permissions(EVERYTHING, { subscribe: '"other"' }));
  const error = await t.throwsAsync<TransportError>(call);
  t.is(error?.code, 'permission_denied');
  t.regex(error!.message, /subscribe to 'trunkline.default.in.web/);
  t.deepEqual(failures(events), []);
});

for (const [what, change] of Object.entries({
  'a service': { subscribe: '["trunkline.>", "$SRV.>", "_INBOX.>"]' },
  'the answers to $SRV': { subscribe: '["trunkline.>", "plain.>", "_INBOX.>"]' },
}))
  test(`a server revokes the subscriptions of ${what}: as for a listener`, async (t) => {
    const { server, far, health, events } = await scene(t);
    const options = { servers: server.address, ...credentials };
    const [connection, asker] = await Promise.all([connect(options), asking(server)]);
    t.teardown(() => Promise.all([connection.close(), asker.close()]));
    const exposed = serveNats(far, { connection, name: 'plain' });
    await connection.flush();
    await answered(asker);

    await server.reload(permissions({ ...EVERYTHING, ...change }));
    await eventually(() => failures(events).length > 3);
    const [failure] = failures(events);
    t.is(failure?.error.code, 'permission_denied');
    t.regex(
      failure!.error.message,
      /serveNats: .*forbids this node to subscribe to '(plain|\$SRV)/,
    );
    t.false(health.isReady);

    await server.reload(permissions(EVERYTHING));
    await eventually(() => health.isReady);
    await answered(asker);
    await server.reload(permissions({ ...EVERYTHING, ...change }));
    await eventually(() => !health.isReady);
    await exposed.stop();
    t.true(health.isReady, 'a stopped service does not matter');
  });

interface Permissions {
  readonly subscribe: string;
  readonly publish: string;
}

/** The configuration of users: 'orders' with these permissions, 'web' and 'ask'. */
function permissions(orders: Permissions, web: Partial<Permissions> = {}): string {
  const user = (name: string, { subscribe, publish }: Permissions) =>
    `{ user: ${name}, password: secret, permissions: { subscribe: ${subscribe}, publish: ${publish} } }`;
  const users = [
    user('orders', orders),
    user('web', { ...EVERYTHING, ...web }),
    user('ask', EVERYTHING),
  ];
  return `authorization { users: [${users.join(', ')}] }`;
}

const asking = (server: NatsServer): Promise<NatsConnection> =>
  connect({ servers: server.address, user: 'ask', pass: 'secret' });

/** Resolves when a plain request and one to `$SRV` were answered. */
async function answered(asker: NatsConnection): Promise<void> {
  for (const subject of ['plain.who', '$SRV.PING.plain'])
    await asker.request(subject, 'null', { timeout: 30_000 });
}

/** A node that listens as 'orders', with its health and its events. */
async function scene(t: ExecutionContext) {
  const server = await startNatsServer({ config: permissions(EVERYTHING) });
  t.teardown(() => server.kill());
  const events: ObserverEvent[] = [];
  const far = await node(
    t,
    {
      servers: server.address,
      ...credentials,
      bindAddr,
      observer: { event: (event) => void events.push(event) },
    },
    { who: () => 'far', fail: () => new Promise<null>(() => {}) },
  );
  return { server, far, events, health: serveHealth(far) };
}

/** Takes a permission from a node that listens, and gives it back. */
async function revoked(
  t: ExecutionContext,
  { change, message }: { change: Partial<Permissions>; message: RegExp },
): Promise<void> {
  const { server, events, health } = await scene(t);
  const near = client(t, { servers: server.address, user: 'web', pass: 'secret' });
  t.is(await near.send(bindAddr, 'who', null), 'far');

  await server.reload(permissions({ ...EVERYTHING, ...change }));
  await eventually(() => failures(events).length > 3);
  const found = failures(events);
  t.is(found[0]?.error.code, 'permission_denied');
  t.regex(found[0]!.error.message, message);
  t.deepEqual(
    found.slice(0, 4).map(({ retryIn }) => retryIn),
    [5, 10, 20, 40],
  );
  t.false(health.isReady);

  await server.reload(permissions(EVERYTHING));
  await eventually(() => health.isReady);
  t.is(
    await client(t, { servers: server.address, user: 'web', pass: 'secret' }).send(
      bindAddr,
      'who',
      null,
    ),
    'far',
  );
}

function failures(events: readonly ObserverEvent[]) {
  return events.flatMap((event) => (event.type === 'listenFailed' ? [event] : []));
}
