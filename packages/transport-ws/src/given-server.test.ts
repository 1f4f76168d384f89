// Tests of layers on an HTTP server that the user passed in.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import { dial, http, listening, refusal, rejection, status } from './testing/upgrades.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

test('a given server keeps its requests and other upgrades, and close leaves it open', async (t) => {
  const { address, server } = await http(
    t,
    createServer((_, response) => response.end('mine')),
  );
  const echo = new WebSocketServer({ noServer: true });
  server.on('upgrade', (req, socket, head) => {
    if (req.url === '/echo')
      echo.handleUpgrade(req, socket, head, (socket) =>
        socket.on('message', (data) => socket.send(data)),
      );
  });
  const { layer, accepted } = await listening(t, { server, path: '/rpc' });
  t.is(layer.localAddr(), `ws://${address}/rpc`);
  const other = new WebSocket(`ws://${address}/echo`);
  await once(other, 'open');
  other.send('hello');
  t.is(String((await once(other, 'message'))[0]), 'hello');
  other.terminate();
  t.is(await status(`http://${address}/`), 200);
  (await dial(`ws://${address}/rpc`)).destroy();
  t.is(accepted(), 1);
  await layer.close();
  t.true(server.listening);
  t.is(server.listenerCount('upgrade'), 1);
  t.is(await status(`http://${address}/`), 200);
});

test('two layers share a server by path, and other paths are 404', async (t) => {
  const { address, server } = await http(t, createServer());
  const one = await listening(t, { server, path: '/one' });
  const two = await listening(t, { server, path: '/two' });
  (await dial(one.address)).destroy();
  (await dial(two.address)).destroy();
  t.deepEqual([one.accepted(), two.accepted()], [1, 1]);
  t.is(await refusal(new WebSocket(`ws://${address}/three`, 'trunkline.v1')), 404);
});

test('a second listener at one path of a server gets address_in_use, also from another copy of the package, until the first closes', async (t) => {
  const { address, server } = await http(t, createServer());
  const copy: typeof import('./index.layer.ts') = await import(
    String(new URL('bundle/index.layer.js', import.meta.url))
  );
  const copies = [createWsStreamLayer, copy.createWsStreamLayer];
  t.not(copies[0], copies[1]);
  for (const first of copies)
    for (const second of copies) {
      const one = first({ server, path: '/rpc' });
      await one.listen(() => {});
      const two = second({ server, path: '/rpc' });
      const error = await rejection(two.listen(() => {}));
      t.is(error.reason, 'address_in_use');
      t.regex(error.message, /:\d+\/rpc: .*another path/);
      (await dial(`ws://${address}/rpc`)).destroy();
      await one.close();
      await two.listen(() => {});
      await two.close();
    }
  t.is(server.listenerCount('upgrade'), 0);
});

for (const isFirst of [true, false])
  test(`an upgrade that a listener ${isFirst ? 'before' : 'after'} ours has taken is left alone`, async (t) => {
    const { address, server } = await http(t, createServer());
    const others = new WebSocketServer({ noServer: true });
    const other = () =>
      server.on('upgrade', (request, socket, head) => {
        if (request.headers.cookie === 'refused')
          return void socket.end('HTTP/1.1 402 Pay\r\n\r\n');
        others.handleUpgrade(request, socket, head, (socket) => socket.send('mine'));
      });
    if (isFirst) other();
    const { accepted } = await listening(t, { server, path: '/rpc' });
    if (!isFirst) other();
    for (const path of ['rpc', 'rpc', 'other']) {
      const socket = new WebSocket(`ws://${address}/${path}`, 'trunkline.v1');
      t.is(String((await once(socket, 'message'))[0]), 'mine');
      socket.terminate();
    }
    const headers = { cookie: 'refused' };
    t.is(await refusal(new WebSocket(`ws://${address}/rpc`, 'trunkline.v1', { headers })), 402);
    t.is(accepted(), 0);
  });

test('listen with a given server that does not listen fails with failed_precondition, and the error says what to do', async (t) => {
  const clock = createManualClock();
  const server = createServer();
  const listeners = () => [server.listenerCount('listening'), server.listenerCount('error')];
  const before = listeners();
  const layer = createWsStreamLayer({ server, clock });
  const listening = rejection(layer.listen(() => {}));
  clock.advance(5_000);
  const error = await listening;
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /does not listen after 5000 ms: call its listen\(\)/);
  t.deepEqual(listeners(), before);
});

test('a given server that is still about to listen is waited for', async (t) => {
  // Node looks up a host name first.
  const server = createServer().listen(0, 'localhost');
  t.false(server.listening);
  t.teardown(() => server.close());
  const layer = createWsStreamLayer({ server });
  await layer.listen(() => {});
  t.regex(layer.localAddr(), /^ws:\/\/.*:\d+\//);
  await layer.close();
});

test('the wait ends if a given server fails to listen, or the layer is closed meanwhile', async (t) => {
  const { server: taken } = await http(t, createServer());
  const server = createServer().listen((taken.address() as AddressInfo).port, '127.0.0.1');
  t.is(
    (await rejection(createWsStreamLayer({ server }).listen(() => {}))).reason,
    'address_in_use',
  );
  const layer = createWsStreamLayer({ server: createServer() });
  const listening = rejection(layer.listen(() => {}));
  await layer.close();
  t.is((await listening).code, 'shutdown');
});

for (const order of ['before', 'after'])
  test(`a layer that is closed ${order} it hears that its server listens takes no upgrades`, async (t) => {
    const server = createServer();
    t.teardown(() => server.close());
    const layer = createWsStreamLayer({ server });
    const close = () => void layer.close();
    if (order === 'before') server.on('listening', close);
    const listening = layer.listen(() => {}).catch(() => {});
    if (order === 'after') server.on('listening', close);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await listening;
    t.is(server.listenerCount('upgrade'), 0);
    t.throws(() => layer.localAddr(), { message: /listen/ });
  });

test('a given server that closes is reported, and the layer stops listening', async (t) => {
  const { server } = await http(t, createServer());
  const layer = createWsStreamLayer({ server });
  const failed = new Promise<TransportError>((resolve, reject) =>
    layer.listen(() => {}, resolve).catch(reject),
  );
  await new Promise(setImmediate);
  server.close();
  t.is((await failed).reason, 'closed');
  t.throws(() => layer.localAddr(), { message: /listen/ });
  t.is(server.listenerCount('upgrade'), 0);
});
