// Tests of health, its protocol and its HTTP handler, and of draining.

import {
  type AnyTransport,
  type Backend,
  bytes,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { serviceOf } from '@trunkline/transport-core/internal';
import { createManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import {
  drain,
  healthHandler,
  healthProtocol,
  type ServingStatus,
  serveHealth,
} from '../index.health.ts';
import { createRetries, createStaticResolver } from '../index.ts';

const protocol = defineProtocol({
  name: 'orders',
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    slow: { id: 2, request: bytes, response: bytes },
    tell: { id: 3, request: bytes },
  },
});
const one = new Uint8Array(1);
const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

async function fixture(t: ExecutionContext, options?: Parameters<typeof serveHealth>[1]) {
  const backends = [inmem()];
  const server = createTransport('inmem://server', { protocol, backends });
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const told: number[] = [];
  serve(server, {
    echo: (request) => request,
    slow: (request) => finished.then(() => request),
    tell: (request) => void told.push(request.length),
  });
  const health = serveHealth(server, options);
  await server.listen();
  const client = createTransport({ protocol, backends });
  const asked = client.mount(healthProtocol);
  t.teardown(async () => {
    finish();
    await client.close();
    await server.close();
  });
  const to = 'inmem://server';
  const check = (service: string) => asked.send(to, 'check', service);
  /** Returns the statuses that a watch of a service sees, and a function that waits for some. */
  const watch = (service: string) => {
    const seen: ServingStatus[] = [];
    const watching = (async () => {
      for await (const status of await asked.send(to, 'watch', service)) seen.push(status);
    })().catch(() => {});
    const has = async (count: number) => {
      while (seen.length < count) await turn();
    };
    return { seen, has, watching };
  };
  return { server, client, health, asked, check, watch, finish, told, to };
}

/** Returns the answer of the handler to a path. */
function get(handler: ReturnType<typeof healthHandler>, url: string) {
  let answer: string | undefined;
  let status = 0;
  const isHandled = handler(
    { url },
    { writeHead: (code) => void (status = code), end: (text) => void (answer = text) },
  );
  return isHandled ? `${status} ${answer?.trim()}` : 'not handled';
}

test('a check tells whether a service takes calls', async (t) => {
  const { health, check } = await fixture(t);
  t.is(await check(''), 'serving');
  t.is(await check('orders'), 'serving');
  t.is(await check('database'), 'unknown');
  health.set('database', 'not_serving');
  t.is(await check('database'), 'not_serving');
  health.set('database', 'serving');
  t.is(await check('database'), 'serving');
  await t.throwsAsync(check('x'.repeat(257)), { code: 'invalid_argument' });
  t.throws(() => health.set('database', 'fine' as never), { instanceOf: TypeError });
});

test('trunkline.ready is serving while the node is ready, for those that may ask', async (t) => {
  const { server, health, asked, check, watch, to } = await fixture(t, {
    allow: (_, __, { token }) => token !== 'bad',
  });
  const { seen, has, watching } = watch('trunkline.ready');
  await has(1);
  health.set('database', 'not_serving');
  t.is(await check('trunkline.ready'), 'not_serving');
  t.false(health.isReady);
  await has(2);
  health.set('database', 'serving');
  t.is(await check('trunkline.ready'), 'serving');
  await has(3);
  await drain(server);
  t.is(await check('trunkline.ready'), 'not_serving');
  t.is(health.status('trunkline.ready'), 'not_serving');
  t.is(await check(''), 'serving');
  await has(4);
  t.deepEqual(seen, ['serving', 'not_serving', 'serving', 'not_serving']);
  await t.throwsAsync(asked.send(to, 'check', 'trunkline.ready', { metadata: { token: 'bad' } }), {
    code: 'permission_denied',
  });
  await health.close().catch(() => {});
  await watching;
});

test('everybody may ask whether the node lives; named services follow the rule', async (t) => {
  const { asked, check, to } = await fixture(t, {
    allow: (_, method, { token }) => token === 'good' && method !== 'watch',
  });
  t.is(await check(''), 'serving');
  await t.throwsAsync(check('orders'), { code: 'permission_denied' });
  t.is(await asked.send(to, 'check', 'orders', { metadata: { token: 'good' } }), 'serving');
  const items = await asked.send(to, 'watch', 'orders', { metadata: { token: 'good' } });
  const error = await t.throwsAsync<TransportError>(items[Symbol.asyncIterator]().next());
  t.is(error!.reason, 'denied');
});

test('a watch yields the status and each change of it, and ends with the protocol', async (t) => {
  const { health, watch } = await fixture(t);
  const { seen, has, watching } = watch('database');
  await has(1);
  health.set('database', 'serving');
  await has(2);
  health.set('database', 'serving');
  health.set('other', 'serving');
  health.set('database', 'not_serving');
  await has(3);
  t.deepEqual(seen, ['unknown', 'serving', 'not_serving']);
  await health.close().catch(() => {});
  await watching;
  t.is(seen.length, 3);
});

test('a watch yields that a protocol was mounted and closed', async (t) => {
  const { server, health, watch } = await fixture(t);
  const { seen, has, watching } = watch('late');
  await has(1);
  const methods = { echo: { id: 1, request: bytes, response: bytes } };
  const mount = server.mount(defineProtocol({ name: 'late', channel: 0x40, methods }));
  await has(2);
  await mount.close();
  await has(3);
  t.deepEqual(seen, ['unknown', 'serving', 'unknown']);
  await health.close().catch(() => {});
  await watching;
});

test('a watch of many changes leaves nothing behind', async (t) => {
  const { health, asked, to } = await fixture(t);
  const warnings: string[] = [];
  const warned = (warning: Error) => void warnings.push(warning.name);
  process.on('warning', warned);
  t.teardown(() => process.off('warning', warned));
  let seen = 0;
  for await (const status of await asked.send(to, 'watch', 'flag')) {
    if (++seen === 50) break;
    health.set('flag', status === 'serving' ? 'not_serving' : 'serving');
  }
  await turn();
  t.deepEqual(warnings, []);
});

test('a node that drains refuses calls as draining, unsent, and finishes those in flight', async (t) => {
  const { server, client, health, check, watch, finish, told, to } = await fixture(t);
  const handler = healthHandler(health);
  t.deepEqual(
    ['/healthz', '/readyz?verbose', '/other'].map((url) => get(handler, url)),
    ['200 ok', '200 ok', 'not handled'],
  );
  const { seen: watched } = watch('orders');
  const inFlight = client.send(to, 'slow', one);
  while (server.snapshot().connections[0]?.calls.in !== 2 || watched.length === 0) await turn();
  let isDrained = false;
  const drained = drain(server).then(() => (isDrained = true));
  const error = await t.throwsAsync<TransportError>(client.send(to, 'echo', one), {
    code: 'unavailable',
  });
  t.is(error!.reason, 'draining');
  t.is(error!.sent, false);
  await client.send(to, 'tell', one);
  t.is(await check(''), 'serving', 'it lives');
  t.is(await check('orders'), 'not_serving');
  t.deepEqual(
    ['/healthz', '/readyz'].map((url) => get(handler, url)),
    ['200 ok', '503 not ready'],
  );
  while (watched.length < 2 || told.length < 1) await turn();
  t.deepEqual(watched, ['serving', 'not_serving']);
  t.false(isDrained);
  finish();
  t.is((await inFlight).length, 1);
  await drained;
  t.is(server.snapshot().state, 'open', 'draining does not close the transport');
});

const raft = defineProtocol({
  name: 'raft',
  methods: {
    append: { id: 1, request: bytes, response: bytes },
    follow: { id: 2, request: bytes, response: bytes },
  },
});

/** Mounts and serves `raft` on the server; `follow` is answered when the test ends. */
async function withRaft(t: ExecutionContext, options?: Parameters<AnyTransport['mount']>[1]) {
  const nodes = await fixture(t);
  const { client, server, to } = nodes;
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  serve(server.mount(raft, options), {
    append: (request) => request,
    follow: (request) => ended.then(() => request),
  });
  const member = client.mount(raft);
  t.teardown(end);
  const following = member.send(to, 'follow', one);
  following.catch(() => {});
  while (server.snapshot().connections[0]?.calls.in !== 1) await turn();
  return { ...nodes, append: () => member.send(to, 'append', one), end, following };
}

test('the calls of excepted protocols go on while a node drains, and are not waited for', async (t) => {
  const { server, client, check, watch, append, end, following, to } = await withRaft(t);
  await drain(server, { except: [raft], grace: 1_000_000 });
  await t.throwsAsync(client.send(to, 'echo', one), { code: 'unavailable' });
  t.is((await append()).length, 1);
  t.is(await check('raft'), 'serving');
  t.is(await check('orders'), 'not_serving');
  t.is(await check('trunkline.ready'), 'not_serving');
  end();
  t.is((await following).length, 1);
  const { seen, has } = watch('raft');
  await has(1);
  await drain(server);
  await has(2);
  t.deepEqual(seen, ['serving', 'not_serving']);
  await t.throwsAsync(append(), { code: 'unavailable' }, 'the next drain refuses them, too');
  t.is(await check('raft'), 'not_serving');
});

test('an excepted protocol that is mounted while its node drains takes calls', async (t) => {
  const { server, client, to } = await fixture(t);
  await drain(server, { except: [raft] });
  serve(server.mount(raft), { append: (request) => request });
  const member = client.mount(raft);
  t.is((await member.send(to, 'append', one)).length, 1);
});

test('a protocol that does not drain goes on without being named by the drain', async (t) => {
  const { server, client, check, append, to } = await withRaft(t, { drains: false });
  await drain(server, { grace: 1_000_000 });
  await t.throwsAsync(client.send(to, 'echo', one), { code: 'unavailable' });
  t.is((await append()).length, 1);
  t.is(await check('raft'), 'serving');
  await t.throwsAsync(drain(server, { except: ['raft' as never] }), {
    message:
      'drain: except: must be a list of protocols made by defineProtocol, not of their names, got a list',
  });
  t.throws(() => server.mount(raft, { drains: 0 as never }), {
    message: 'mount: drains: must be true or false, got 0',
  });
});

test('draining ends with its grace period, and a second drain waits as well', async (t) => {
  const { server, client, to } = await fixture(t);
  const hung = client.send(to, 'slow', one).catch((error: TransportError) => error.code);
  while (server.snapshot().connections[0]?.calls.in !== 1) await turn();
  await Promise.all([drain(server, { grace: 20 }), drain(server, { grace: 20 })]);
  t.is(server.snapshot().connections[0]?.calls.in, 1);
  const late = server.mount(
    defineProtocol({
      name: 'late',
      methods: { ask: { id: 1, request: bytes, response: bytes } },
    }),
  );
  serve(late, { ask: (request) => request });
  const asking = client.mount(late.protocol);
  await turn();
  await t.throwsAsync(asking.send(to, 'ask', one), { code: 'unavailable' });
  await server.close();
  t.is(await hung, 'unavailable');
  await t.throwsAsync(drain(server, { grace: -1 }), { instanceOf: TypeError });
});

test('draining without refusing leaves accepted connections, and their callers dial again', async (t) => {
  const { server, client, health, finish, to } = await fixture(t);
  const inFlight = client.send(to, 'slow', one);
  while (server.snapshot().connections[0]?.calls.in !== 1) await turn();
  let isDrained = false;
  const drained = drain(server, { refuse: false }).then(() => (isDrained = true));
  t.false(health.isReady);
  while (client.remotes().length > 0) await turn();
  t.false(isDrained, 'a call is in flight');
  await t.throwsAsync<TransportError>(client.send(to, 'echo', one), {
    message: /not listening|refused|listen/,
  });
  finish();
  t.is((await inFlight).length, 1);
  await drained;
  t.deepEqual(server.snapshot().connections, []);
  t.is(server.snapshot().state, 'open');
  await server.close({ grace: 1_000 });
  t.is(server.snapshot().state, 'closed');
});

test('calls to a name go to a node that does not drain, with its held connection', async (t) => {
  const backends = [inmem()];
  const names = ['inmem://one', 'inmem://two'];
  const servers = names.map((name) => createTransport(name, { protocol, backends }));
  for (const server of servers) {
    serve(server, { echo: (request) => request, slow: (request) => request, tell: () => {} });
    await server.listen();
  }
  const client = createTransport({
    protocol,
    backends,
    resolve: createStaticResolver({ orders: names }),
    interceptors: { client: [createRetries().interceptor] },
  });
  t.teardown(() => Promise.all([client, ...servers].map((each) => each.close())));
  const release = client.hold('orders');
  await client.send('orders', 'echo', one);
  const used = servers.find((server) => server.snapshot().connections.length > 0)!;
  const other = servers.find((server) => server !== used)!;
  await drain(used);
  for (let n = 0; n < 3; n++) await client.send('orders', 'echo', one);
  t.is(other.snapshot().connections.length, 1);
  await used.close({ grace: 1_000 });
  await client.send('orders', 'echo', one);
  t.is(other.snapshot().connections.length, 1);
  release();
});

test('a call that is on its way to a node that drains without refusing is served', async (t) => {
  const { server, client, to } = await fixture(t);
  await client.dial(to);
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 50; i++) calls.push(client.send(to, 'echo', one));
  await drain(server, { refuse: false });
  await t.notThrowsAsync(Promise.all(calls));
});

test('a node whose listener has failed is not ready until it listens again', async (t) => {
  const clock = createManualClock();
  const memory = inmem();
  const refusal = new TransportError('permission_denied', 'this node may not listen');
  let isAllowed = true;
  let fail: (error: TransportError) => void = () => {};
  const backend: Backend = {
    ...memory,
    layer: (options) => {
      const layer = memory.layer(options);
      const listen = layer.listen.bind(layer);
      let listened: Promise<void> | undefined;
      layer.listen = async (accept, failed) => {
        if (!isAllowed) throw refusal;
        fail = failed!;
        listened ??= listen(accept);
        await listened;
      };
      return layer;
    },
  };
  const server = createTransport('inmem://revoked', { protocol, backends: [backend], clock });
  t.teardown(() => server.close());
  const health = serveHealth(server);
  t.true(health.isReady, 'a node that only dials is ready');
  await server.listen();
  const client = createTransport({ protocol, backends: [memory] });
  t.teardown(() => client.close());
  const statuses = await client
    .mount(healthProtocol)
    .send('inmem://revoked', 'watch', 'trunkline.ready');
  const watched = statuses[Symbol.asyncIterator]();
  t.is((await watched.next()).value, 'serving');

  isAllowed = false;
  fail(refusal);
  t.false(health.isReady);
  t.is((await watched.next()).value, 'not_serving');
  t.is(health.status('orders'), 'serving', 'calls over open connections are served');
  clock.advance(5);
  await turn();
  t.false(health.isReady);
  isAllowed = true;
  clock.advance(10);
  t.is((await watched.next()).value, 'serving');
  t.true(health.isReady);
});

test('a second serveHealth throws, and leaves the first as it was', async (t) => {
  const { server, health } = await fixture(t);
  health.set('orders', 'not_serving');
  t.throws(() => serveHealth(server), { instanceOf: TypeError });
  const control = serviceOf(server, 'test') as unknown as { isServing(service: string): boolean };
  t.false(control.isServing('orders'));
});
