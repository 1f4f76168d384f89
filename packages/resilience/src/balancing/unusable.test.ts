// Tests of servers that answer, but can't be used: the balancer leaves them out, and calls go to
// the others.

import { createAuthority, createIdentity } from '@trunkline/security';
import {
  type Backend,
  bytes,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { tcp } from '@trunkline/transport-tcp';
import test, { type ExecutionContext } from 'ava';
import { createRetries } from '../retries/retries.ts';
import { createStaticResolver } from '../static-resolver.ts';
import { FakeServer, fakeCall, settled } from '../testing/fake-call.ts';
import { createBalancer } from './balancer.ts';
import { pickFirst } from './pick-first.ts';

const orders = defineProtocol({
  name: 'orders',
  methods: { get: { id: 1, request: bytes, response: bytes } },
});
const ONE = Uint8Array.of(1);

/** Returns a client of `orders` at these addresses, and a function that calls it many times. */
function setUp(
  t: ExecutionContext,
  addresses: readonly string[],
  options: { readonly backends: readonly Backend[]; readonly network?: string },
) {
  const balancer = createBalancer({ resolve: createStaticResolver({ orders: addresses }) });
  const retries = createRetries();
  const client = createTransport({
    protocol: orders,
    interceptors: { client: [retries.interceptor, balancer.interceptor] },
    ...options,
  });
  t.teardown(() => client.close());
  const call = (times: number) =>
    Promise.all(Array.from({ length: times }, () => client.send('orders', 'get', ONE)));
  const statuses = () => balancer.snapshot().names[0]!.addresses.map(({ status }) => status);
  return { balancer, retries, call, statuses };
}

test('servers of another authority, another network or with this client on their deny list are left out', async (t) => {
  const [ours, theirs] = [await createAuthority(), await createAuthority()];
  const me = createIdentity();
  const start = async ({ deny = [] as string[], network = 'live', by = ours, ca = ours.cert }) => {
    const identity = createIdentity();
    const tls = { key: identity.key, cert: await by.issue(identity), ca, deny };
    const server = createTransport('tcp://127.0.0.1:0', {
      protocol: orders,
      backends: [tcp({ tls })],
      network,
    });
    serve(server, { get: (request) => request });
    await server.listen();
    t.teardown(() => server.close());
    return server.localAddr();
  };
  const addresses = [
    await start({ by: theirs, ca: ours.cert + theirs.cert }),
    await start({ ca: theirs.cert }),
    await start({ network: 'test' }),
    await start({ deny: [me.nodeId] }),
    'tcp://[fe80::1]:9', // connect() fails with EINVAL, because the address needs a zone
    await start({}),
  ];
  const tls = { key: me.key, cert: await ours.issue(me), ca: ours.cert };
  const { call, statuses, retries } = setUp(t, addresses, {
    backends: [tcp({ tls })],
    network: 'live',
  });
  await call(50);
  for (let n = 0; n < 20; n++) await call(1);
  t.deepEqual(statuses(), [...Array(5).fill('down'), 'up']);
  const { calls, retries: repeated } = retries.snapshot();
  t.is(calls, 70);
  t.true(repeated > 0);
});

test('if all addresses refuse for the same reason, a call fails at once with it', async (t) => {
  const backends = [inmem()];
  const addresses = ['inmem://a', 'inmem://b', 'inmem://c', 'inmem://d'];
  for (const address of addresses) {
    const server = createTransport(address, { protocol: orders, backends, network: 'test' });
    await server.listen();
    t.teardown(() => server.close());
  }
  const { call, retries, statuses } = setUp(t, addresses, { backends, network: 'live' });
  await t.throwsAsync(call(1), {
    message: /the acceptor in 'test'|the dialer is in network 'live'/,
  });
  t.is(retries.snapshot().retries, 3, 'each address was tried once');
  t.deepEqual(statuses(), Array(4).fill('down'));
  await t.throwsAsync(call(1), {
    message: /the acceptor in 'test'|the dialer is in network 'live'/,
  });
  t.is(retries.snapshot().retries, 3);
});

test('an own certificate that has expired takes no address out of use', async (t) => {
  const authority = await createAuthority();
  const issued = async (expired: boolean) => {
    const identity = createIdentity();
    const day = (days: number) => new Date(Date.now() + days * 86_400_000);
    const dates = expired ? { notBefore: day(-2), notAfter: day(-1) } : {};
    const cert = await authority.issue(identity, dates);
    return { key: identity.key, cert, ca: authority.cert };
  };
  const addresses: string[] = [];
  for (let n = 0; n < 2; n++) {
    const backends = [tcp({ tls: await issued(false) })];
    const server = createTransport('tcp://127.0.0.1:0', { protocol: orders, backends });
    serve(server, { get: (request) => request });
    await server.listen();
    t.teardown(() => server.close());
    addresses.push(server.localAddr());
  }
  const backends = [tcp({ tls: await issued(true) })];
  const { call, retries, statuses } = setUp(t, addresses, { backends });
  const error = await t.throwsAsync<TransportError>(call(1), { code: 'unauthenticated' } as object);
  t.is(error.reason, 'expired_certificate');
  t.is(error.origin, 'remote');
  t.deepEqual(statuses(), ['up', 'up']);
  t.is(retries.snapshot().retries, 0);
});

test('causes at this end, and refusals on a live connection, mark no address', async (t) => {
  const server = new FakeServer();
  const balancer = createBalancer({
    resolve: createStaticResolver({ orders: ['a:1', 'b:1'] }),
    policy: pickFirst(),
    clock: server.clock,
  });
  const retries = createRetries({ clock: server.clock });
  const send = () =>
    server.send((next) => retries.interceptor(balancer.interceptor(next)), fakeCall());
  const none = { sent: false } as const;
  for (const error of [
    new TransportError('resource_exhausted', 'no file left', { ...none, unreachable: false }),
    new TransportError('unauthenticated', 'own', { ...none, unreachable: false }),
    new TransportError('permission_denied', 'allow', {
      ...none,
      origin: 'remote',
      reason: 'denied',
    }),
    new TransportError('cancelled', 'aborted', { ...none, cause: 'enough' }),
    new TransportError('resource_exhausted', 'too long', { ...none, reason: 'too_large' }),
  ]) {
    const result = send();
    await settled();
    const before = server.attempts.length;
    await server.last.fail(error);
    t.is(server.attempts.length, before, 'it is not repeated at once');
    if (error.message === 'no file left') {
      await server.advance(1_000);
      await server.last.answer('a descriptor was free again');
      await result;
    } else await t.throwsAsync(result, { is: error });
  }
  for (const { status, failures } of balancer.snapshot().names[0]!.addresses)
    t.deepEqual([status, failures], ['up', 0]);
});

test('a call tries each address that takes calls, however many cannot be used', async (t) => {
  const server = new FakeServer();
  const addresses = Array.from({ length: 8 }, (_, n) => `${n}:1`);
  const balancer = createBalancer({
    resolve: createStaticResolver({ orders: addresses }),
    policy: pickFirst(),
    clock: server.clock,
  });
  const retries = createRetries({ clock: server.clock });
  const result = server.send((next) => retries.interceptor(balancer.interceptor(next)), fakeCall());
  await settled();
  for (let n = 0; n < 7; n++) {
    t.is(server.last.target, `${n}:1`);
    const code = n % 2 === 0 ? 'unavailable' : 'permission_denied';
    await server.last.fail(new TransportError(code, 'no', { sent: false, unreachable: true }));
  }
  await server.last.answer('at last');
  t.is(await result, 'at last');
});

test('a download that was sent shows that an address that was down can be reached', async (t) => {
  const server = new FakeServer();
  const balancer = createBalancer({
    resolve: createStaticResolver({ orders: ['a:1'] }),
    clock: server.clock,
  });
  const status = () => balancer.snapshot().names[0]!.addresses[0]!.status;
  const send = () => server.send(balancer.interceptor, fakeCall({ kind: 'download' }));
  void send();
  await settled();
  await server.last.fail(new TransportError('unavailable', 'no', { sent: false }));
  t.is(status(), 'down');
  const stream = send();
  await server.last.answer(
    (async function* () {
      yield 1;
      yield 2;
    })(),
  );
  await stream;
  t.is(status(), 'up', 'the stream may be quiet');
});
