// Tests that are specific to TCP; the rules of every stream layer are in stream-layer.test.ts.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type ObserverEvent, systemClock, type TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import type { TcpStreamLayerOptions } from './tcp-options.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

test('addresses are accepted with and without tcp://, and reported without', async (t) => {
  const { address } = await listening(t, { bindAddr: 'tcp://127.0.0.1:0' });
  t.regex(address, /^127\.0\.0\.1:\d+$/);
  for (const target of [address, `tcp://${address}`, `TCP://${address}/`])
    t.is((await dialed(t, target)).endpoint, address);
});

test('an IPv6 address is in brackets, in its shortest spelling', async (t) => {
  const { address } = await listening(t, { bindAddr: '[0:0:0:0:0:0:0:1]:0' });
  t.regex(address, /^\[::1\]:\d+$/);
  t.is((await dialed(t, `tcp://${address}`)).endpoint, address);
});

test('a host name is resolved for binding and for dialing', async (t) => {
  const { address } = await listening(t, { bindAddr: 'localhost:0' });
  const port = address.slice(address.lastIndexOf(':') + 1);
  t.true((await dialed(t, `localhost:${port}`)).endpoint.endsWith(`:${port}`));
});

test('a host name is dialed at the given addresses, and no name server is asked', async (t) => {
  const { address } = await listening(t, {});
  const port = address.slice(address.lastIndexOf(':') + 1);
  const layer = createTcpStreamLayer();
  t.true(layer.machine!.addresses().length > 0);
  const options = { timeout: 10_000, addresses: ['127.0.0.1'] };
  const connection = await layer.dial(`node.invalid:${port}`, options);
  t.is(connection.endpoint, address);
  connection.destroy();
  await layer.close();
});

test('a peer of a dual-stack listener has its IPv4 address', async (t) => {
  const { address, connections } = await listening(t, {
    bindAddr: '[::]:0',
    advertiseAddr: 'node:1',
  });
  await dialed(t, `127.0.0.1:${address.slice(address.lastIndexOf(':') + 1)}`);
  t.regex((await connections.next()).endpoint, /^127\.0\.0\.1:\d+$/);
});

test('an address that means the whole machine is refused without advertiseAddr, and the port stays free', async (t) => {
  const port = await freePort();
  for (const bindAddr of [
    `0.0.0.0:${port}`,
    `[::]:${port}`,
    `:${port}`,
    `0:${port}`,
    `tcp://[::ffff:0.0.0.0]:${port}`,
  ]) {
    const error = await rejection(createTcpStreamLayer({ bindAddr }).listen(() => {}));
    t.is(error.code, 'invalid_argument', bindAddr);
    t.is(error.reason, 'not_advertisable', bindAddr);
    t.regex(error.message, /advertiseAddr/);
    t.true(error.message.includes(bindAddr));
  }
  t.is((await listening(t, { bindAddr: `127.0.0.1:${port}` })).address, `127.0.0.1:${port}`);
});

test('an advertised address must be one that others can dial', (t) => {
  for (const advertiseAddr of ['0.0.0.0:7000', 'tcp://[fe80::1%eth0]:7000', '[fe80::1]:7000'])
    t.throws(() => createTcpStreamLayer({ advertiseAddr }), {
      instanceOf: TypeError,
      message: /^createTcpStreamLayer: advertiseAddr: cannot advertise .*: it /,
    });
});

test('a link-local address is refused without advertiseAddr, because others have other interfaces', async (t) => {
  const error = await rejection(
    createTcpStreamLayer({ bindAddr: 'tcp://[fe80::1%eth0]:0' }).listen(() => {}),
  );
  t.is(error.code, 'invalid_argument');
  t.is(error.reason, 'not_advertisable');
  t.regex(error.message, /tcp:\/\/\[fe80::1%eth0\]:0: it is link-local.*advertiseAddr/);
});

test('with an advertised address a link-local address may be bound, and is dialed with its zone', async (t) => {
  const own = linkLocal();
  if (own === undefined) return t.pass('this machine has no link-local address');
  const { address } = await listening(t, { bindAddr: `[${own}]:0`, advertiseAddr: 'node-1:7000' });
  t.true(address.startsWith(`[${own}]:`), address);
  await dialed(t, address);
});

test('the zone of an address that is not link-local is not advertised', async (t) => {
  t.regex((await listening(t, { bindAddr: '[::1%lo]:0' })).layer.advertiseAddr(), /^\[::1\]:\d+$/);
});

test('the zone of another machine is unavailable, and the error names the reason', async (t) => {
  const error = await rejection(
    createTcpStreamLayer().dial('[fe80::1%elsewhere0]:7000', { timeout: 20_000 }),
  );
  t.is(error.code, 'unavailable');
  if (error.message.includes('EINVAL')) t.regex(error.message, /link-local/);
});

test('with an advertised address the whole machine may be bound', async (t) => {
  const { address, layer } = await listening(t, {
    bindAddr: '0.0.0.0:0',
    advertiseAddr: 'tcp://Node-1.example:7000',
  });
  t.regex(address, /^0\.0\.0\.0:\d+$/);
  t.is(layer.advertiseAddr(), 'tcp://Node-1.example:7000');
  await dialed(t, address.replace('0.0.0.0', '127.0.0.1'));
});

test('a host without an address is host_not_found', async (t) => {
  const error = await rejection(
    createTcpStreamLayer().dial('nobody.invalid:7000', { timeout: 20_000 }),
  );
  t.is(error.code, 'unavailable');
  t.is(error.reason, 'host_not_found');
  t.true(error.message.includes('nobody.invalid:7000'));
  t.is(
    (await rejection(createTcpStreamLayer({ bindAddr: 'nobody.invalid:0' }).listen(() => {})))
      .reason,
    'host_not_found',
  );
});

test('an address of another machine cannot be bound', async (t) => {
  const error = await rejection(createTcpStreamLayer({ bindAddr: '192.0.2.1:0' }).listen(() => {}));
  t.is(error.code, 'invalid_argument');
  t.true(error.message.includes('192.0.2.1:0'));
});

test('with reusePort several listeners share a port, or the second one finds it in use', async (t) => {
  const bindAddr = `127.0.0.1:${await freePort()}`;
  await listening(t, { bindAddr, reusePort: true });
  const second = createTcpStreamLayer({ bindAddr, reusePort: true });
  t.teardown(() => second.close());
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24 && process.platform === 'linux') await second.listen(() => {});
  else if (major < 22) t.is((await rejection(second.listen(() => {}))).reason, 'address_in_use');
  const alone = await rejection(createTcpStreamLayer({ bindAddr }).listen(() => {}));
  t.is(alone.reason, 'address_in_use');
});

test('with reusePort port 0 is refused, because each listener would get another port', async (t) => {
  const error = await rejection(
    createTcpStreamLayer({ bindAddr: '127.0.0.1:0', reusePort: true }).listen(() => {}),
  );
  t.is(error.code, 'invalid_argument');
  t.regex(error.message, /'127\.0\.0\.1:0' with reusePort: .* give a fixed port/);
});

test('close while a host name is looked up leaves the port free', async (t) => {
  const port = await freePort();
  const layer = createTcpStreamLayer({ bindAddr: `localhost:${port}` });
  const listen = rejection(layer.listen(() => {}));
  await layer.close();
  t.is((await listen).code, 'shutdown');
  await listening(t, { bindAddr: `localhost:${port}` });
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

test('an invalid keepAlive throws a TypeError that names it', (t) => {
  for (const keepAlive of [0, 999, 32_767_001, Number.POSITIVE_INFINITY, Number.NaN])
    t.throws(() => createTcpStreamLayer({ keepAlive }), {
      instanceOf: TypeError,
      message: /keepAlive: must be a number of milliseconds from 1,000 to 32,767,000, or false/,
    });
  for (const keepAlive of [1_000, 32_767_000, false] as const)
    t.notThrows(() => createTcpStreamLayer({ keepAlive }));
});

test('a peer that resets is closed with reset, and no other connection is disturbed', async (t) => {
  const { address, connections } = await listening(t);
  const victim = await raw(t, address);
  const first = record(await connections.next());
  const other = await raw(t, address);
  const second = record(await connections.next());
  victim.write('half a mess');
  await first.until(() => first.size === 11);
  victim.resetAndDestroy();
  await first.until(() => first.ends === 1);
  t.is(first.error?.reason, 'reset');
  other.write('hello');
  await second.until(() => second.size === 5);
});

test('a reset before a sink is attached is reported once one is', async (t) => {
  const layer = createTcpStreamLayer();
  t.teardown(() => layer.close());
  const handed = new Promise<StreamConnection>((resolve, reject) =>
    layer.listen(resolve).catch(reject),
  );
  await new Promise(setImmediate);
  const socket = await raw(t, layer.localAddr());
  const connection = await handed;
  socket.resetAndDestroy();
  // The reset has arrived by the time another connection has been opened and closed.
  const { address } = await listening(t);
  await once((await raw(t, address)).end(), 'finish');
  const sink = record(connection);
  connection.write(new Uint8Array(10));
  await sink.until(() => sink.ends === 1);
  t.is(sink.error?.reason, 'reset');
});

test('a connection that ended before a sink was attached reports its end to it', async (t) => {
  const layer = createTcpStreamLayer();
  t.teardown(() => layer.close());
  const handed = new Promise<StreamConnection>((resolve, reject) =>
    layer.listen(resolve).catch(reject),
  );
  await new Promise(setImmediate);
  const socket = await raw(t, layer.localAddr());
  const connection = await handed;
  const gone = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
  connection.destroy();
  await gone;
  const sink = record(connection);
  t.is(sink.ends, 0);
  await new Promise(setImmediate);
  t.is(sink.ends, 1);
});

test('a peer that half-closes gets the written data and the end; a half-closed connection serves nothing', async (t) => {
  const { address, connections } = await listening(t);
  const socket = await raw(t, address);
  const sink = record(await connections.next());
  sink.connection.write(new Uint8Array(1_000));
  socket.end('last words');
  await sink.until(() => sink.ends === 1);
  t.is(sink.size, 10);
  t.is(sink.error, undefined);
  t.is(await drainedSize(socket), 1_000);
});

test('a peer that never ends is given one second after the end of this side, and then disconnected', async (t) => {
  const clock = createManualClock();
  const { address, connections } = await listening(t, { clock });
  const socket = await raw(t, address);
  const sink = record(await connections.next());
  const fin = once(socket, 'end');
  socket.resume();
  sink.connection.close();
  await fin;
  t.is(sink.ends, 0);
  clock.advance(999);
  t.is(clock.timers, 1);
  clock.advance(1);
  await sink.until(() => sink.ends === 1);
  t.is(sink.error?.reason, 'reset');
  t.is(clock.timers, 0);
});

test('without free file descriptors dials fail with resource_exhausted, listening continues, and everything recovers', async (t) => {
  const script = new URL('./out-of-files.test.child.js', import.meta.url).pathname;
  const child = spawn(
    '/bin/sh',
    ['-c', 'ulimit -n 512 && exec "$0" "$1"', process.execPath, script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  t.is(code, 0);
  const { failed, recovered } = JSON.parse(output);
  t.true(failed.length > 0);
  for (const each of failed)
    t.true(each === 'resource_exhausted' || each === 'unavailable/reset', each);
  t.true(failed.includes('resource_exhausted'));
  t.true(recovered);
});

class Record implements StreamSink {
  size = 0;
  ends = 0;
  error: TransportError | undefined;
  readonly connection: StreamConnection;
  #wake = (): void => {};
  constructor(connection: StreamConnection) {
    this.connection = connection;
    connection.attach(this);
  }
  data(chunk: Uint8Array): void {
    this.size += chunk.length;
    this.#wake();
  }
  frames(): void {}
  drained(): void {}
  closed(error?: TransportError): void {
    this.ends++;
    this.error = error;
    this.#wake();
  }
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => holds() && resolve();
      this.#wake();
    });
  }
}

function record(connection: StreamConnection): Record {
  return new Record(connection);
}

async function listening(t: ExecutionContext, options: TcpStreamLayerOptions = {}) {
  const layer = createTcpStreamLayer({ clock: systemClock, ...options });
  const accepted: StreamConnection[] = [];
  let taken = 0;
  let wake = () => {};
  await layer.listen((connection) => {
    accepted.push(connection);
    wake();
  });
  t.teardown(() => {
    for (const connection of accepted) connection.destroy();
    return layer.close();
  });
  const next = (): Promise<StreamConnection> =>
    new Promise((resolve) => {
      const n = taken++;
      wake = () => accepted[n] !== undefined && resolve(accepted[n]);
      wake();
    });
  return { layer, address: layer.localAddr(), connections: { next } };
}

async function dialed(t: ExecutionContext, address: string): Promise<StreamConnection> {
  const connection = await createTcpStreamLayer().dial(address, { timeout: 10_000 });
  t.teardown(() => connection.destroy());
  return connection;
}

async function raw(t: ExecutionContext, address: string): Promise<Socket> {
  const [, host, port] = /^(.*):(\d+)$/.exec(address)!;
  const socket = connect({ host: host!, port: Number(port), allowHalfOpen: true });
  t.teardown(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function drainedSize(socket: Socket): Promise<number> {
  let size = 0;
  for await (const chunk of socket) size += chunk.length;
  return size;
}

/**
 * Returns a free port that stays free, because it lies below those that the system assigns by
 * itself (32768 and above on Linux).
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + ((process.pid * 31 + tried++) % 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}

let tried = 0;

/** Returns an IPv6 link-local address of this machine, with its zone. */
function linkLocal(): string | undefined {
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    for (const { address } of addresses ?? [])
      if (/^fe80::/.test(address)) return `${address.replace(/%.*$/, '')}%${name}`;
  return undefined;
}

async function rejection(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => {
      throw new Error('It was to fail');
    },
    (error: TransportError) => error,
  );
}
