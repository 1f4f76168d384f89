// Tests ws(): calls, paths, options and the browser build.

import { createServer } from 'node:http';
import { Server } from 'node:net';
import { createTransport, serve, type TransportError } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import test from 'ava';
import { WebSocket } from 'ws';
import { ws as browserWs } from './index.browser.ts';
import { createNativeStreamLayer } from './native-stream-layer.ts';
import type { NativeWebSocketClass } from './native-web-socket.ts';
import { echo } from './testing/echo.ts';
import { http } from './testing/upgrades.ts';
import { ws } from './ws.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

test('with reusePort port 0 is refused, and a port is shared with other listeners if it can be', async (t) => {
  const zero = createTransport('ws://127.0.0.1:0', {
    protocol: echo,
    backends: [ws({ reusePort: true })],
  });
  const error = await t.throwsAsync<TransportError>(zero.listen());
  t.is(error!.code, 'invalid_argument');
  t.regex(error!.message, /reusePort: .* give a fixed port/);
  // Below the ports that the system assigns by itself.
  const address = `ws://127.0.0.1:${20_000 + ((process.pid * 31) % 12_000)}`;
  const listeners = [1, 2].map(() =>
    createTransport(address, { protocol: echo, backends: [ws({ reusePort: true })] }),
  );
  t.teardown(() => Promise.all([zero, ...listeners].map((each) => each.close())).then(() => {}));
  await listeners[0]!.listen();
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24 && process.platform === 'linux') await listeners[1]!.listen();
  else if (major < 22)
    t.is((await t.throwsAsync<TransportError>(listeners[1]!.listen()))!.reason, 'address_in_use');
});

test.serial('listen fails with shutdown if the layer is closed as the port opens', async (t) => {
  const layer = createWsStreamLayer();
  const { emit } = Server.prototype;
  Server.prototype.emit = function (this: Server, event: any, ...rest: any[]) {
    const isHeard = emit.call(this, event, ...rest);
    if (event === 'listening') void layer.close();
    return isHeard;
  };
  t.teardown(() => (Server.prototype.emit = emit));
  t.is((await t.throwsAsync<TransportError>(layer.listen(() => {})))!.code, 'shutdown');
  t.throws(() => layer.localAddr(), { message: /listen/ });
});

test('as a backend it takes the path from its address, on its own port and on a given server', async (t) => {
  const { server: given } = await http(t, createServer());
  const client = createTransport({ protocol: echo, backends: [ws()] });
  t.teardown(() => client.close());
  for (const [address, backend] of [
    ['ws://127.0.0.1:0/a/b', ws()],
    ['ws://0.0.0.0:0/a/b', ws({ server: given })],
  ] as const) {
    const server = createTransport(address, { protocol: echo, backends: [backend] });
    await server.listen();
    serve(server, { echo: (request) => request });
    t.regex(server.localAddr(), /^ws:\/\/127\.0\.0\.1:\d+\/a\/b$/);
    t.is((await client.send(server.localAddr(), 'echo', new Uint8Array(5))).length, 5);
    await server.close();
  }
});

test('a page that dialed can be called through its Remote', async (t) => {
  const server = createTransport('ws://127.0.0.1:0', { protocol: echo, backends: [ws()] });
  const page = new NetworkTransport({
    protocol: echo,
    stream: createNativeStreamLayer({ webSocket: WebSocket as unknown as NativeWebSocketClass }),
  });
  t.teardown(() => Promise.all([server.close(), page.close()]).then(() => {}));
  await server.listen();
  serve(page, { echo: (request) => request });
  await page.dial(server.localAddr());
  const up = await server.connections().next();
  t.is((await server.send(up.value.remote, 'echo', new Uint8Array(300_000))).length, 300_000);
});

test('invalid options throw a TypeError that names the function and the option', (t) => {
  const cases = [
    [() => ws({ orgin: [] } as never), /ws: orgin: unknown option; did you mean 'origins'/],
    [() => ws({ origins: 'https://app.example' } as never), /ws: origins: must be a list/],
    [() => ws({ server: {} } as never), /ws: server: must be an http or https server/],
    [() => createWsStreamLayer({ path: 'x' }), /path: must begin with '\/'/],
    [() => createWsStreamLayer({ bindAddr: '127.0.0.1:0', server: createServer() }), /bindAddr/],
    ...['a', ['http://a'], ['a:80'], [''], [1]].map(
      (hosts) => [() => createWsStreamLayer({ hosts: hosts as never }), /hosts/] as const,
    ),
    [() => browserWs({ tls: {} as never }), /ws: tls: a page can't present a certificate/],
  ] as const;
  for (const [make, message] of cases) t.throws(make, { instanceOf: TypeError, message });
});
