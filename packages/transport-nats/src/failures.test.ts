// Tests of lost servers, lost messages and lost peers.

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

import { connect } from '@nats-io/transport-node';
import { type NatsServer, startNatsCluster, startNatsServer } from '@trunkline/local-nats';
import { type Observer, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { createMessage, MessageType } from './message.ts';
import { client, eventually, node } from './testing/nodes.ts';
import { serverOfFile, natsTest as test } from './testing/server.ts';

const shared = (await serverOfFile())!;

test('a server is killed while calls run: they fail, none is handled twice, and the node comes back', async (t) => {
  const first = await startNatsServer();
  t.teardown(() => first.kill());
  const bindAddr = `nats://${first.address}/orders`;
  const handled = new Map<number, number>();
  await node(t, { bindAddr }, { note: (id) => void handled.set(id, (handled.get(id) ?? 0) + 1) });
  const near = client(t, {});
  t.is((await near.send(bindAddr, 'echo', new Uint8Array(1))).length, 1);

  let next = 0;
  const resolved = new Set<number>();
  const refused: TransportError[] = [];
  let isOver = false;
  const caller = async () => {
    while (!isOver) {
      const id = next++;
      await near.send(bindAddr, 'note', id).then(
        () => resolved.add(id),
        (error) => void refused.push(error),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const callers = Array.from({ length: 8 }, caller);
  await eventually(() => handled.size > 200);
  await first.kill();
  await eventually(() => refused.length > 50);
  for (const error of refused) {
    t.true(error instanceof TransportError);
    t.is(error.code, 'unavailable', error.message);
  }
  const second = await startNatsServer({ port: first.port });
  t.teardown(() => second.kill());
  const before = resolved.size;
  await eventually(() => resolved.size > before + 200);
  isOver = true;
  await Promise.all(callers);
  t.is(Math.max(...handled.values()), 1, 'a message was replayed');
});

test('a lost server and a new connection to it are events, and the end of a transport is none', async (t) => {
  const first = await startNatsServer();
  t.teardown(() => first.kill());
  const seen: string[] = [];
  const observer: Observer = {
    event: (event) => {
      if (event.type === 'broker')
        seen.push([event.state, event.server, event.error?.code].join(' '));
    },
  };
  const far = await node(t, { bindAddr: `nats://${first.address}/orders`, observer });
  await first.kill();
  await eventually(() => seen.length === 2);
  const second = await startNatsServer({ port: first.port });
  t.teardown(() => second.kill());
  await eventually(() => seen.length === 3);
  await far.close();
  t.deepEqual(seen, [
    `connected ${first.address} `,
    `lost ${first.address} unavailable`,
    `connected ${first.address} `,
  ]);
});

test('in a cluster of three of which one is killed, nodes move to another server', async (t) => {
  const cluster = await startNatsCluster(3);
  t.teardown(() => Promise.all(cluster.map((each) => each.kill())));
  const [a, b, c] = cluster.map(({ address }) => address);
  // Each end begins with its own server. The node knows no other server at first, and learns of
  // the others from that server.
  const far = await node(t, { bindAddr: `nats://${a}/orders` }, { who: () => 'far' });
  const near = client(t, { servers: [b!, c!] });
  const isReached = () => succeeds(near.send(far.localAddr(), 'who', null));
  await eventually(isReached);
  await cluster[0]!.kill();
  await eventually(isReached);
  t.pass();
});

test('a lost message ends the connection with reset at its receiver', async (t) => {
  const { near, far, raw, subject } = await wiretapped(t);
  const down = lost(near.connections());
  const [toNear] = subject;
  raw.publish(toNear!, createMessage(1_000, MessageType.data, 10));
  const error = await down;
  t.is(error?.reason, 'reset');
  t.regex(error!.message, /message \d+ was expected and 1000 came, so NATS lost messages/);
  await eventually(() => far.remotes().length === 0);
});

test('a repeated message ends the connection, too', async (t) => {
  const { near, raw, subject } = await wiretapped(t);
  const down = lost(near.connections());
  raw.publish(subject[0]!, createMessage(0, MessageType.data, 10));
  t.is((await down)?.reason, 'reset');
});

test('a message of an unknown type, and one that is too short, end the connection', async (t) => {
  const one = await wiretapped(t);
  let down = lost(one.near.connections());
  one.raw.publish(one.subject[0]!, createMessage(one.count(), 77, 0));
  t.is((await down)?.reason, 'malformed');
  const other = await wiretapped(t);
  down = lost(other.near.connections());
  other.raw.publish(other.subject[0]!, new Uint8Array(3));
  t.is((await down)?.reason, 'malformed');
});

test('malformed headers of a client do not make a node deaf', async (t) => {
  const far = await node(t, { bindAddr: `nats://${shared.address}/headers` });
  const raw = createConnection(shared.port, '127.0.0.1');
  t.teardown(() => raw.destroy());
  const headers = 'NATS/1.0\r\na b: 1\r\n\r\n';
  raw.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n');
  raw.write(`HPUB trunkline.default.dial.headers ${headers.length} ${headers.length}\r\n`);
  raw.write(`${headers}\r\nPING\r\n`);
  for (let text = ''; !text.includes('PONG'); ) text += (await once(raw, 'data'))[0];
  const near = client(t, {});
  t.is((await near.send(far.localAddr(), 'echo', new Uint8Array(1))).length, 1);
});

test('a peer that vanishes is noticed with the next message', async (t) => {
  const [ours, theirs] = await cluster(t);
  await node(t, { bindAddr: `nats://${theirs.address}/orders`, servers: theirs.address });
  const near = client(t, { servers: ours.address, keepAlive: { interval: 600_000 } });
  const target = 'nats://broker/orders';
  await eventually(() => succeeds(near.send(target, 'echo', new Uint8Array(1))));
  const down = lost(near.connections());
  await theirs.kill();
  // No keep-alive is due, and the call may take a minute. It fails because the server answers that
  // there is no subscriber.
  const error = await t.throwsAsync(
    near.send(target, 'echo', new Uint8Array(1), { timeout: 60_000 }),
    { instanceOf: TransportError },
  );
  t.is(error.code, 'unavailable', error.message);
  t.is((await down)?.reason, 'reset');
});

test('a peer whose server is killed is noticed at once, because the cluster tells', async (t) => {
  const [ours, theirs] = await cluster(t);
  const keepAlive = { interval: 600_000 };
  const bindAddr = `nats://${theirs.address}/orders`;
  const isHeld = await holding(t, { bindAddr, servers: theirs.address, keepAlive });
  const near = client(t, { servers: ours.address, keepAlive });
  const target = 'nats://broker/orders';
  await eventually(() => succeeds(near.send(target, 'echo', new Uint8Array(1))));
  const call = near.send(target, 'fail', 'hold', { timeout: 3_600_000 });
  await eventually(isHeld);
  await theirs.kill();
  const error = await t.throwsAsync<TransportError>(call);
  t.like(error, { code: 'unavailable', reason: 'reset', sent: true });
});

test('a node that was cut off tells its callers as soon as it is back', async (t) => {
  const own = await startNatsServer();
  t.teardown(() => own.kill());
  const cut: Socket[] = [];
  // The node reaches the server through a relay, which breaks.
  const relay = createServer((socket) => {
    const onward = createConnection(own.port, '127.0.0.1');
    cut.push(socket);
    socket.on('error', () => {}).on('close', () => onward.destroy());
    onward.on('error', () => {});
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.teardown(() => relay.close());
  const keepAlive = { interval: 600_000 };
  const servers = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const isHeld = await holding(t, { bindAddr: 'nats://broker/orders', servers, keepAlive });
  const near = client(t, { servers: own.address, keepAlive });
  const call = near.send('nats://broker/orders', 'fail', 'hold', { timeout: 3_600_000 });
  await eventually(isHeld);
  for (const socket of cut) socket.destroy();
  const error = await t.throwsAsync<TransportError>(call);
  t.like(error, { code: 'unavailable', reason: 'reset', sent: true });
});

test('a dial whose node is lost with its server turns to another node', async (t) => {
  const [ours, theirs] = await cluster(t);
  const raw = await connect({ servers: theirs.address, reconnect: false });
  const asked = new Promise<void>((resolve) => {
    raw.subscribe('trunkline.default.dial.orders', { callback: () => resolve() });
  });
  await raw.flush();
  const near = client(t, { servers: ours.address, dialTimeout: 3_600_000 });
  const options = { timeout: 3_600_000 };
  let call: Promise<string> | undefined;
  // The name reaches our server a moment later.
  for (let isAsked = false; !isAsked; ) {
    call = near.send('nats://broker/orders', 'who', null, options);
    isAsked = await Promise.race([asked.then(() => true), succeeds(call).then(() => false)]);
  }
  await node(t, { bindAddr: 'nats://broker/orders', servers: ours.address }, { who: () => 'near' });
  await theirs.kill();
  t.is(await call, 'near');
});

/** Starts a node that never answers. Returns a function that tells whether it got a call. */
async function holding(t: ExecutionContext, options: Parameters<typeof node>[1]) {
  let isHeld = false;
  const fail = () => {
    isHeld = true;
    return new Promise<null>(() => {});
  };
  await node(t, options, { fail });
  return () => isHeld;
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

/** A cluster of two servers. */
async function cluster(t: ExecutionContext) {
  const servers = await startNatsCluster(2);
  t.teardown(() => Promise.all(servers.map((each) => each.kill())));
  return servers as [NatsServer, NatsServer];
}

/** A live connection, and a raw client that knows the subjects of both ends. */
async function wiretapped(t: Parameters<typeof client>[0]) {
  const raw = await connect({ servers: shared.address });
  t.teardown(() => raw.close());
  const name = `wiretapped-${Math.round(raw.info!.client_id)}`;
  const subjects = new Map<string, number>();
  raw.subscribe('trunkline.default.in.>', {
    callback: (_error, { subject }) => {
      if (subject.includes(name)) subjects.set(subject, (subjects.get(subject) ?? 0) + 1);
    },
  });
  const far = await node(t, { bindAddr: `nats://${shared.address}/far-${name}` });
  const near = client(t, { node: `near-${name}` });
  await near.send(far.localAddr(), 'echo', new Uint8Array(10));
  await raw.flush();
  const subject = [...subjects.keys()].sort().reverse();
  return { near, far, raw, subject, count: () => subjects.get(subject[0]!)! };
}

/** Resolves to the error with which a connection ends. */
async function lost(
  events: AsyncIterable<{ type: string; cause?: TransportError | undefined }>,
): Promise<TransportError | undefined> {
  for await (const { type, cause } of events) if (type === 'down') return cause;
  return undefined;
}

test('a server that never answers is left after connectTimeout', async (t) => {
  // The NATS client leaves the socket of a failed attempt open, so this end closes it.
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  const mute = `127.0.0.1:${(silent.address() as AddressInfo).port}`;

  const options = { servers: mute, connectTimeout: 20, dialTimeout: 3_600_000 };
  const near = client(t, options);
  const error = await t.throwsAsync(near.send(`nats://${mute}/orders`, 'who', null));
  t.is((error as TransportError).reason, 'dial_timeout');
  t.regex(error!.message, /does not answer; .* raise connectTimeout/);
});
