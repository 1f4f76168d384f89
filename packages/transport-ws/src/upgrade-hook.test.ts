// Tests of the option `upgrade`: its data, its refusals, its default origins, and its place among
// the handshakes.

import { createServer } from 'node:http';
import {
  type Backend,
  type CommonOptions,
  createTransport,
  type ObserverEvent,
  type Remote,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { faulty } from '@trunkline/transport-testkit';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { ws as browserWs } from './index.browser.ts';
import { createNativeStreamLayer } from './native-stream-layer.ts';
import type { NativeWebSocketClass } from './native-web-socket.ts';
import { echo } from './testing/echo.ts';
import { http, refusal, taken } from './testing/upgrades.ts';
import { ws } from './ws.ts';
import type { WsBackendOptions } from './ws-backend.ts';

const NOTHING = new Uint8Array(0);

/** Creates a server with this backend on a port of its own. */
async function serving(t: ExecutionContext, backend: Backend, options: CommonOptions = {}) {
  const server = createTransport('ws://127.0.0.1:0/rpc', {
    ...options,
    protocol: echo,
    backends: [backend],
  });
  await server.listen();
  t.teardown(() => server.close());
  serve(server, { echo: (request) => request });
  return { server, at: server.localAddr() };
}

function client(t: ExecutionContext, backend: Backend = ws()) {
  const made = createTransport({ protocol: echo, backends: [backend] });
  t.teardown(() => made.close());
  return made;
}

/** Calls once, and returns the error. */
async function failure(t: ExecutionContext, at: string, options?: WsBackendOptions) {
  const error = await t.throwsAsync<TransportError>(
    client(t, ws(options)).send(at, 'echo', NOTHING),
  );
  return error!;
}

for (const [where, own] of [
  ['on a port of its own', true],
  ['on a given server', false],
] as const)
  test(`${where}, the data of upgrade is known in admit, interceptors and handlers, also with a layer around it`, async (t) => {
    const site = createServer();
    if (!own) await http(t, site);
    const web = ws({
      ...(!own && { server: site }),
      upgrade({ url, headers, address, raw }) {
        return { url, user: headers.cookie, address, method: String(raw.method) };
      },
    });
    const stacks: [Backend, Backend][] = [
      [web, ws({ headers: { Cookie: 'user=ada' } })],
      [faulty(web), ws({ headers: () => ({ cookie: 'user=ada' }) })],
      [web, ws({ headers: { COOKIE: 'user=ada' } })],
    ];
    for (const [backend, dialing] of stacks) {
      const seen: ReturnType<typeof web.upgradeOf>[] = [];
      const see = (remote: Remote) => void seen.push(web.upgradeOf(remote));
      const server = createTransport('ws://127.0.0.1:0/rpc', {
        protocol: echo,
        backends: [backend],
        admit: see,
        interceptors: {
          server: [
            (next) => (call) => {
              see(call.from);
              return next(call);
            },
          ],
        },
      });
      await server.listen();
      serve(server, {
        echo(request, { from }) {
          see(from);
          return request;
        },
      });
      const caller = client(t, dialing);
      await caller.send(`${server.localAddr()}?room=7`, 'echo', NOTHING);
      const { address, ...data } = seen[0]!;
      t.deepEqual(data, { url: '/rpc?room=7', user: 'user=ada', method: 'GET' });
      t.is(address, '127.0.0.1');
      t.deepEqual(seen, [seen[0], seen[0], seen[0]]);
      t.is(web.upgradeOf(caller.remotes()[0]!), undefined, 'it was dialed');
      t.is(ws({ upgrade: () => 1 }).upgradeOf(server.remotes()[0]!), undefined, 'of another ws()');
      t.is(browserWs().upgradeOf(server.remotes()[0]!), undefined);
      await server.close();
    }
  });

test('what upgrade throws refuses the connection, and the client gets a code instead of an HTTP status', async (t) => {
  const events: ObserverEvent[] = [];
  let thrown: unknown;
  let isAsync = false;
  const upgrade = () => {
    if (isAsync) return Promise.reject(thrown);
    throw thrown;
  };
  const observer = { event: (event: ObserverEvent) => void events.push(event) };
  const { at } = await serving(t, ws({ upgrade }), { observer });
  const http = (status: number, message: string) => Object.assign(new Error(message), { status });
  const rows: [unknown, string, string | undefined, RegExp][] = [
    [new TransportError('unauthenticated', 'sign in'), 'unauthenticated', 'refused', /: sign in$/],
    [
      new Response(null, { status: 401, statusText: 'Who?' }),
      'unauthenticated',
      'refused',
      /Who\?/,
    ],
    [http(403, 'not yours'), 'permission_denied', 'refused', /not yours/],
    [http(404, 'no room'), 'not_found', 'refused', /no room/],
    [http(400, 'bad room'), 'failed_precondition', 'refused', /bad room/],
    [new Response(null, { status: 429 }), 'unavailable', 'refused', /HTTP 429/],
    [http(503, 'later'), 'unavailable', 'refused', /later/],
    [new Error('no database at 10.0.0.9'), 'unavailable', 'refused', /could not check the upgrade/],
    [undefined, 'unavailable', 'refused', /could not check the upgrade/],
  ];
  for (isAsync of [false, true])
    for (const row of rows) {
      thrown = row[0];
      const { code, reason, message, origin, sent } = await failure(t, at);
      t.deepEqual(
        [code, reason, origin, sent],
        [row[1], row[2], 'remote', false] as never,
        message,
      );
      t.regex(message, row[3]);
      t.false(message.includes('10.0.0.9'));
    }
  const failed = events.filter(({ type }) => type === 'callbackFailed');
  t.is(failed.length, 4, 'only what is not a refusal is a failure of the callback');
  t.like(failed[0], { callback: 'upgrade', error: rows[7]![0] });
});

test('a page that upgrade or origins refuses learns it, and its hold ends', async (t) => {
  const pages = (origin: string) =>
    function (this: unknown, url: string, protocols: string) {
      return new WebSocket(url, protocols, { origin });
    } as unknown as NativeWebSocketClass;
  const page = (origin: string) => {
    const made = new NetworkTransport({
      protocol: echo,
      stream: createNativeStreamLayer({ webSocket: pages(origin) }),
    });
    t.teardown(() => made.close());
    return made;
  };
  let isKnown = false;
  const web = ws({
    origins: ['https://app.example'],
    upgrade() {
      if (!isKnown) throw new Response(null, { status: 401, statusText: 'sign in' });
    },
  });
  const { at } = await serving(t, web);
  for (const [origin, code, reason] of [
    ['https://evil.example', 'permission_denied', 'denied'],
    ['https://app.example', 'unauthenticated', 'refused'],
  ] as const) {
    const transport = page(origin);
    const events = transport.connections();
    transport.hold(at);
    const { value } = await events.next();
    t.like(value, { type: 'failed', target: at, retryIn: undefined, error: { code, reason } });
  }
  isKnown = true;
  await page('https://app.example').send(at, 'echo', NOTHING);
});

test('with upgrade, only pages of the same host may connect, unless origins says otherwise', async (t) => {
  const site = createServer();
  await http(t, site);
  const upgrade = () => ({});
  const open = (at: string, headers: Record<string, string>) => failureOf(t, at, headers);
  const same = await serving(t, ws({ server: site, upgrade, hosts: ['*'] }));
  for (const [origin, host] of [
    ['https://app.example', 'app.example'],
    ['https://app.example', 'APP.example:443'],
    ['http://app.example', 'app.example:80'],
    ['http://localhost:8080', 'localhost:8080'],
    [undefined, 'app.example'],
  ])
    t.is(await open(same.at, { ...(origin && { origin }), host: host! }), undefined, origin);
  for (const [origin, host] of [
    ['https://evil.example', 'app.example'],
    ['https://app.example.evil.example', 'app.example'],
    ['https://app.example:444', 'app.example'],
    ['http://app.example', 'app.example:443'],
    ['null', 'app.example'],
    ['file://', 'localhost'],
    ['chrome-extension://app.example', 'app.example'],
  ])
    t.is(await open(same.at, { origin: origin!, host: host! }), 'denied', origin);
  for (const [scheme, proto, reason] of [
    ['http', 'https', 'denied'],
    ['http', 'HTTPS, http', 'denied'],
    ['https', 'https', undefined],
    ['http', 'http', undefined],
  ] as const) {
    const headers = { origin: `${scheme}://app.example`, host: 'app.example' };
    t.is(await open(same.at, { ...headers, 'x-forwarded-proto': proto }), reason, proto);
  }
  await same.server.close();
  const listed = await serving(t, ws({ server: site, upgrade, origins: ['https://b.example'] }));
  t.is(await open(listed.at, { origin: 'https://b.example' }), undefined);
  t.is(await open(listed.at, { origin: `http://${new URL(listed.at).host}` }), 'denied');
  await listed.server.close();
  const all = await serving(t, ws({ server: site, upgrade, origins: ['*'] }));
  t.is(await open(all.at, { origin: 'https://evil.example' }), undefined);
});

/** Calls once with these headers; returns the reason of the error. */
async function failureOf(t: ExecutionContext, at: string, headers: Record<string, string>) {
  const caller = client(t, ws({ headers }));
  return caller.send(at, 'echo', NOTHING).then(
    () => undefined,
    ({ reason }: TransportError) => reason,
  );
}

test('with trustProxy, clients behind a proxy have addresses of their own, also for the limit per source', async (t) => {
  const site = createServer();
  await http(t, site);
  const web = ws({ server: site, trustProxy: 1, upgrade: ({ address }) => address });
  const events: ObserverEvent[] = [];
  const { server, at } = await serving(t, web, {
    clock: createManualClock(),
    limits: { handshakes: { perSource: 1 } },
    admit(remote) {
      if (remote.endpoint === '203.0.113.9') throw new Error('not this one');
    },
    observer: { event: (event) => void events.push(event) },
  });
  const ask = (address: string) =>
    client(t, ws({ headers: { 'x-forwarded-for': `6.6.6.6, ${address}` } }))
      .send(at, 'echo', NOTHING)
      .then(
        () => 'ok',
        ({ code }: TransportError) => code,
      );
  t.is(await ask('203.0.113.9'), 'permission_denied');
  t.is(
    await ask('203.0.113.9'),
    'unavailable',
    'its failed handshake keeps its place for a second',
  );
  t.is(await ask('203.0.113.7'), 'ok');
  t.is(await ask('2001:db8::7'), 'ok');
  t.deepEqual(
    server.remotes().map((remote) => [remote.endpoint, web.upgradeOf(remote)]),
    [
      ['203.0.113.7', '203.0.113.7'],
      ['[2001:db8::7]', '2001:db8::7'],
    ],
  );
  t.deepEqual(
    events.flatMap((event) => (event.type === 'rejected' ? [event.endpoint] : [])),
    ['203.0.113.9', '203.0.113.9'],
  );
});

test('upgrade is asked only about clients of our sub-protocol, for an allowed host and path', async (t) => {
  let asked = 0;
  const { at } = await serving(t, ws({ upgrade: () => void asked++ }));
  const headers = { host: 'evil.example' };
  t.is(await refusal(new WebSocket(at)), 400);
  t.is(await refusal(new WebSocket(at, 'trunkline.v1', { headers })), 403);
  t.is(await refusal(new WebSocket(`${at}/other`, 'trunkline.v1')), 404);
  const origin = 'https://evil.example';
  await taken(t, new WebSocket(at, 'trunkline.v1', { origin }));
  t.is(asked, 0);
});

for (const own of [true, false])
  test(`an upgrade that is being decided ${own ? 'on a port of its own' : 'on a given server'} is a handshake: it has a place, a timeout, and ends with the transport`, async (t) => {
    const site = createServer();
    if (!own) await http(t, site);
    const clock = createManualClock();
    const errors: TransportError[] = [];
    let heard = () => {};
    let arrived = () => {};
    let asked = 0;
    const upgrade = () => {
      asked++;
      arrived();
      return new Promise<void>(() => {});
    };
    const { server, at } = await serving(t, ws({ upgrade, ...(!own && { server: site }) }), {
      clock,
      handshakeTimeout: 3_000,
      limits: { handshakes: { pending: 1 } },
      observer: {
        event(event) {
          if (event.type !== 'rejected') return;
          errors.push(event.error);
          heard();
        },
      },
    });
    const open = () => {
      const socket = new WebSocket(at, 'trunkline.v1');
      socket.on('error', () => {});
      return socket;
    };
    const comes = () => new Promise<void>((resolve) => (arrived = resolve));
    const rejected = async () => {
      while (errors.length === 0) await new Promise<void>((resolve) => (heard = resolve));
      return errors.shift()!;
    };
    let next = comes();
    const first = open();
    await next;
    clock.advance(1_000);
    const second = open();
    next = comes();
    clock.advance(1_999);
    t.is(asked, 1, 'the second waits for a place');
    clock.advance(1);
    t.is((await rejected()).reason, 'handshake_timeout');
    await next;
    t.is(asked, 2);
    const gone = [first, second].map(
      (socket) =>
        socket.readyState === WebSocket.CLOSED ||
        new Promise((resolve) => socket.once('close', resolve)),
    );
    await server.close();
    await Promise.all(gone);
    t.is(clock.timers, 0);
    t.deepEqual(errors, []);
  });

test('a client that leaves while its upgrade is being decided is reported and frees its place', async (t) => {
  const clock = createManualClock();
  let asked = () => {};
  let answer = () => {};
  const events: ObserverEvent[] = [];
  let report = () => {};
  const reported = new Promise<void>((resolve) => (report = resolve));
  const web = ws({
    upgrade: () => {
      asked();
      return new Promise<void>((resolve) => (answer = resolve));
    },
  });
  const { server, at } = await serving(t, web, {
    clock,
    observer: {
      event(event) {
        events.push(event);
        report();
      },
    },
  });
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const socket = new WebSocket(at, 'trunkline.v1');
  socket.on('error', () => {});
  await isAsked;
  (
    socket as unknown as { _req: { socket: { resetAndDestroy(): void } } }
  )._req.socket.resetAndDestroy();
  await reported;
  t.like(events, [{ type: 'rejected', error: { reason: 'reset' } }]);
  answer();
  await new Promise(setImmediate);
  t.is(server.snapshot().connections.length, 0);
  t.is(clock.timers, 0);
});

test('headers of a client that HTTP forbids, or in a browser, throw a TypeError that names them', async (t) => {
  for (const headers of [
    { 'a b': 'c' },
    { a: 'b\r\nc: d' },
    { a: 'ключ' },
    { a: 1 },
    ['a'],
    'a: b',
    new Map(),
  ])
    t.throws(() => ws({ headers: headers as never }), {
      instanceOf: TypeError,
      message: /headers/,
    });
  const wrong = await failure(t, 'ws://127.0.0.1:1/', { headers: () => ({ a: '\n' }) });
  t.true(wrong instanceof TypeError || wrong.code === 'invalid_argument', String(wrong));
  t.regex(wrong.message, /headers/);
  const error = new TransportError('unauthenticated', 'no token');
  const headers = () => {
    throw error;
  };
  t.is((await failure(t, 'ws://127.0.0.1:1/', { headers })).code, 'unauthenticated');
  t.throws(() => browserWs({ headers: { a: 'b' } }), {
    instanceOf: TypeError,
    message: /ws: headers: a page can't set headers/,
  });
});
