// Tests which upgrades are accepted: subprotocol, origin, host, path, and a server shared with
// others.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server } from 'node:net';
import type { ObserverEvent } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { WebSocket } from 'ws';
import { createWsStreamLayer as createBrowserStreamLayer } from './index.layer.browser.ts';
import {
  dial,
  http,
  listening,
  raw,
  refusal,
  rejection,
  status,
  taken,
  webSockets,
} from './testing/upgrades.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

test('an upgrade without the sub-protocol, or with another, is refused with 400; with several, ours is chosen', async (t) => {
  const { address, accepted } = await listening(t);
  t.is(await refusal(new WebSocket(address)), 400);
  t.is(await refusal(new WebSocket(address, 'trunkline.v2')), 400);
  t.is(await refusal(new WebSocket(address, 'xtrunkline.v1')), 400);
  t.is(accepted(), 0);
  await taken(t, new WebSocket(address, ['mqtt', 'trunkline.v1']));
});

test('a server with another sub-protocol, or none, is wrong_version at the dialer', async (t) => {
  for (const handleProtocols of [() => 'trunkline.v2', () => false as const]) {
    const { address } = await webSockets(t, handleProtocols);
    const error = await rejection(dial(address));
    t.is(error.code, 'failed_precondition');
    t.is(error.reason, 'wrong_version');
    t.true(
      error.message.includes(address) && error.message.includes('trunkline.v1'),
      error.message,
    );
  }
});

test('the answer of an HTTP server instead of an upgrade is reported with its status', async (t) => {
  const rows: [number, string, string | undefined][] = [
    [400, 'failed_precondition', 'wrong_version'],
    [401, 'unauthenticated', undefined],
    [403, 'permission_denied', 'denied'],
    [404, 'not_found', undefined],
    [200, 'failed_precondition', undefined],
    [302, 'failed_precondition', undefined],
    [429, 'unavailable', undefined],
    [503, 'unavailable', undefined],
  ];
  for (const [status, code, reason] of rows) {
    const { address } = await http(
      t,
      createServer((_, response) => response.writeHead(status, 'Because').end('no')),
    );
    const error = await rejection(dial(`ws://${address}/rpc`));
    t.is(error.code, code as never, String(status));
    t.is(error.reason, reason as never, String(status));
    t.is(error.origin, 'remote');
    t.true(
      error.message.includes(`${status} Because`) && error.message.includes(`ws://${address}/rpc`),
      error.message,
    );
  }
});

test('with a list of origins, the connection of a page of another origin is refused, and clients that are not pages are accepted', async (t) => {
  const { address, refused } = await listening(t, { origins: ['https://app.example'] });
  for (const options of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://app.example.evil.example' },
    { origin: 'https://evil.example', protocolVersion: 8 },
    { origin: 'https://app.example' },
    {},
  ])
    await taken(t, new WebSocket(address, 'trunkline.v1', options));
  t.deepEqual(refused, ['denied', 'denied', 'denied', 'denied', undefined, undefined]);
});

test('without a list of origins every page may connect', async (t) => {
  const { address } = await listening(t);
  await taken(t, new WebSocket(address, 'trunkline.v1', { origin: 'https://anyone.example' }));
});

test('on a loopback address an upgrade for another host gets 403, like that of a page whose name was rebound', async (t) => {
  const { server } = await http(t, createServer());
  for (const options of [{}, { server }]) {
    const { address, accepted } = await listening(t, options);
    const { port } = new URL(address);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      'evil.example.',
      '10.0.0.1',
      '[::2]',
      '127.0.0.1.evil.example',
    ])
      t.is(await refusal(new WebSocket(address, 'trunkline.v1', { headers: { host } })), 403, host);
    t.is(accepted(), 0);
    for (const host of [
      `127.0.0.1:${port}`,
      'localhost',
      'LocalHost:1',
      'app.localhost:8080',
      '[::1]',
      '[::1]:80',
      '127.0.0.9',
      'localhost.',
    ])
      await taken(t, new WebSocket(address, 'trunkline.v1', { headers: { host } }));
  }
});

test('on a loopback address the hosts of bindAddr and advertiseAddr are accepted, too', async (t) => {
  const { address } = await listening(t, {
    bindAddr: 'localhost:0',
    advertiseAddr: 'wss://Node-1.example/rpc',
  });
  await taken(t, new WebSocket(address, 'trunkline.v1', { headers: { host: 'node-1.example' } }));
  t.is(
    await refusal(new WebSocket(address, 'trunkline.v1', { headers: { host: 'node-2.example' } })),
    403,
  );
});

test('a final dot of an advertised host does not count, with or without a port', async (t) => {
  for (const advertiseAddr of ['wss://node-1.example./rpc', 'wss://node-1.example.:443/rpc']) {
    const { address } = await listening(t, { advertiseAddr });
    for (const host of ['node-1.example', 'node-1.example.:443'])
      await taken(t, new WebSocket(address, 'trunkline.v1', { headers: { host } }));
  }
});

test('`hosts` lists the accepted hosts on any address; "*" accepts all', async (t) => {
  const { address } = await listening(t, {
    bindAddr: ':0',
    advertiseAddr: 'ws://node-1.example/',
    hosts: ['App.example', '[::1]'],
  });
  const at = `ws://127.0.0.1:${new URL(address).port}/`;
  for (const host of ['app.example', 'APP.example:8080', 'app.example.', '[0:0:0:0:0:0:0:1]:9'])
    await taken(t, new WebSocket(at, 'trunkline.v1', { headers: { host } }));
  for (const host of ['127.0.0.1', 'localhost', 'node-1.example', 'x.app.example'])
    t.is(await refusal(new WebSocket(at, 'trunkline.v1', { headers: { host } })), 403, host);
  const any = await listening(t, { hosts: ['*'] });
  await taken(t, new WebSocket(any.address, 'trunkline.v1', { headers: { host: 'evil.example' } }));
  const wide = await listening(t, { bindAddr: ':0', advertiseAddr: 'ws://node-1.example/' });
  const there = `ws://127.0.0.1:${new URL(wide.address).port}/`;
  await taken(t, new WebSocket(there, 'trunkline.v1', { headers: { host: 'a.example' } }));
});

test('compression is not negotiated, even if it is offered', async (t) => {
  const { address } = await listening(t);
  const socket = new WebSocket(address, 'trunkline.v1', { perMessageDeflate: true });
  await once(socket, 'open');
  t.is(socket.extensions, '');
  socket.terminate();
});

test('another path gets 404, a plain request 426', async (t) => {
  const { address } = await listening(t, { path: '/rpc' });
  t.regex(address, /^ws:\/\/127\.0\.0\.1:\d+\/rpc$/);
  t.is(await refusal(new WebSocket(address.replace('/rpc', '/other'), 'trunkline.v1')), 404);
  t.is(await status(address.replace('ws:', 'http:')), 426);
  await taken(t, new WebSocket(`${address}?token=1`, 'trunkline.v1'));
});

test('an address that others cannot dial is refused without advertiseAddr', async (t) => {
  for (const bindAddr of [
    '0.0.0.0:0',
    '[::]:0',
    ':0',
    'ws://0.0.0.0:0/rpc',
    '[fe80::1%eth0]:0',
    'ws://[fe80::1%eth0]:0/rpc',
  ]) {
    const error = await rejection(createWsStreamLayer({ bindAddr }).listen(() => {}));
    t.is(error.code, 'invalid_argument');
    t.is(error.reason, 'not_advertisable');
    t.regex(error.message, /advertiseAddr/);
  }
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.is(
    (await rejection(createWsStreamLayer({ server }).listen(() => {}))).reason,
    'not_advertisable',
  );
  t.is(server.listenerCount('upgrade'), 0);
  const layer = createWsStreamLayer({ server, advertiseAddr: 'ws://node-1.example/' });
  await layer.listen(() => {});
  t.is(layer.advertiseAddr(), 'ws://node-1.example/');
  await layer.close();
  server.close();
});

test('an advertiseAddr that cannot be dialed throws a TypeError in createWsStreamLayer, in Node and in a browser', (t) => {
  for (const create of [createWsStreamLayer, createBrowserStreamLayer]) {
    for (const advertiseAddr of ['node-1.example:7001', 'ws://', 'ws://a:0/', 'tcp://a:1'])
      t.throws(
        () => create({ advertiseAddr }),
        {
          instanceOf: TypeError,
          message: /createWsStreamLayer: advertiseAddr: .*ws:\/\/host:port/,
        },
        advertiseAddr,
      );
    for (const advertiseAddr of ['ws://0.0.0.0/', 'wss://[::]:1/x', 'ws://[fe80::1]/'])
      t.throws(() => create({ advertiseAddr }), {
        instanceOf: TypeError,
        message: /createWsStreamLayer: advertiseAddr: cannot advertise .*: it /,
      });
    t.is(
      create({ advertiseAddr: 'wss://node-1.example/rpc' }).advertiseAddr(),
      'wss://node-1.example/rpc',
    );
  }
});

test('a connection that sends no upgrade is closed after five seconds', async (t) => {
  const clock = createManualClock();
  const { address, layer } = await listening(t, { clock });
  const socket = raw(address);
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n');
  const gone = new Promise((resolve) => socket.once('close', resolve));
  // Once a later connection has been served, the server has seen the first one.
  (await dial(address)).destroy();
  clock.advance(4_999);
  t.is(clock.timers, 1);
  clock.advance(1);
  await gone;
  await layer.close();
  t.is(clock.timers, 0);
});

test('the number of connections without an upgrade is limited', async (t) => {
  const { address } = await listening(t, { clock: createManualClock() });
  const sockets = Array.from({ length: 340 }, () => raw(address));
  let closed = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) socket.on('close', () => ++closed === 20 && resolve());
  });
  const living = sockets.filter((socket) => !socket.destroyed).length;
  t.is(living, 320);
  for (const socket of sockets) socket.destroy();
});

test.serial('a failed accept is reported, even if the observer throws', async (t) => {
  const events: string[] = [];
  const event = (event: ObserverEvent) => {
    events.push(event.type);
    throw new Error('of the observer');
  };
  // The layer keeps its server to itself, so this notes the server that begins to listen.
  const { listen } = Server.prototype;
  let server: Server | undefined;
  Server.prototype.listen = function (this: Server, ...given: never[]) {
    server = this;
    return Reflect.apply(listen, this, given);
  } as typeof listen;
  try {
    await listening(t, { observer: { event } });
  } finally {
    Server.prototype.listen = listen;
  }
  const error = Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' });
  t.notThrows(() => server!.emit('error', error));
  t.deepEqual(events, ['acceptFailed']);
});

test('close disconnects those that have not sent their upgrade', async (t) => {
  const { address, layer } = await listening(t);
  const socket = raw(address);
  await once(socket, 'connect');
  (await dial(address)).destroy();
  const gone = new Promise((resolve) => socket.once('close', resolve));
  await layer.close();
  await gone;
  t.pass();
});
