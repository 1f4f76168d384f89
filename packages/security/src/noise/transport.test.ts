// Tests whole transports over secured streams: which ends connect, and which errors and events both
// ends see.

import {
  bytes,
  type CommonOptions,
  createTransport,
  defineProtocol,
  type ObserverEvent,
  systemClock,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import test, { type ExecutionContext } from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer, secured } from './create-noise-stream-layer.ts';
import { toHex } from './testing/bytes.ts';
import { record, watchArrivals } from './testing/watched-layers.ts';

const protocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
type Echo = typeof protocol;

const places: { name: string; place: () => () => StreamLayer }[] = [
  {
    name: 'over memory',
    place() {
      const streams = createInmemStreams();
      return () => streams.layer();
    },
  },
  { name: 'over tcp', place: () => () => createTcpStreamLayer() },
];

for (const { name, place } of places) {
  const title = (text: string) => `${name}: ${text}`;

  test(title('a call is answered, and both ends know the id of the other'), async (t) => {
    const layer = place();
    const [ada, bob] = [createIdentity(), createIdentity()];
    const server = end(t, createNoiseStreamLayer(layer(), { identity: bob }));
    const client = end(t, createNoiseStreamLayer(layer(), { identity: ada }));
    await server.listen();
    t.deepEqual(
      await client.transport.send(server.addr, 'echo', Uint8Array.of(1, 2)),
      Uint8Array.of(1, 2),
    );
    t.deepEqual(
      client.transport.remotes().map((remote) => remote.nodeId),
      [bob.nodeId],
    );
    t.deepEqual(
      server.transport.remotes().map((remote) => remote.nodeId),
      [ada.nodeId],
    );
  });

  test(title('a large answer arrives complete'), async (t) => {
    const layer = place();
    const server = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }));
    const client = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }));
    await server.listen();
    const body = new Uint8Array(3_000_000).map((_, i) => i * 31);
    const answer = await client.transport.send(server.addr, 'echo', body);
    t.true(answer.length === body.length && answer.every((byte, i) => byte === body[i]));
  });

  test(title('a secured dialer and a plain acceptor both learn what is wrong'), async (t) => {
    const layer = place();
    const server = end(t, layer());
    const client = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }));
    await server.listen();
    const error = await failure(t, client.transport.send(server.addr, 'echo', new Uint8Array(1)));
    t.is(error.reason, 'wrong_preamble');
    t.regex(error.message, /the other end speaks plain Trunkline \(TRKL\), this end speaks noise/);
    const rejected = await server.event('rejected');
    t.is(rejected.error.reason, 'wrong_preamble');
    t.regex(rejected.error.message, /Trunkline secured by noise \(TRKN\)/);
  });

  test(title('a plain dialer and a secured acceptor both learn what is wrong'), async (t) => {
    const layer = place();
    const server = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }));
    const client = end(t, layer());
    await server.listen();
    const error = await failure(t, client.transport.send(server.addr, 'echo', new Uint8Array(1)));
    t.is(error.reason, 'wrong_preamble');
    t.regex(error.message, /Trunkline secured by noise \(TRKN\)/);
    const rejected = await server.event('rejected');
    t.is(rejected.direction, 'in');
    t.is(rejected.error.reason, 'wrong_preamble');
    t.regex(rejected.error.message, /plain Trunkline \(TRKL\), this end speaks noise/);
  });

  test(
    title('a node that the acceptor denies is refused, and both ends learn the reason'),
    async (t) => {
      const layer = place();
      const ada = createIdentity();
      const server = end(
        t,
        createNoiseStreamLayer(layer(), { identity: createIdentity(), deny: [ada.nodeId] }),
      );
      const client = end(t, createNoiseStreamLayer(layer(), { identity: ada }));
      await server.listen();
      const error = await failure(t, client.transport.send(server.addr, 'echo', new Uint8Array(1)));
      t.deepEqual(
        [error.code, error.reason, error.origin],
        ['permission_denied', 'denied', 'remote'],
      );
      t.true(error.message.includes(`node ${ada.nodeId} is denied`), error.message);
      const rejected = await server.event('rejected');
      t.deepEqual([rejected.error.reason, rejected.error.origin], ['denied', 'local']);
    },
  );

  test(
    title('a node that the dialer does not allow is refused, and both ends learn the reason'),
    async (t) => {
      const layer = place();
      const bob = createIdentity();
      const server = end(t, createNoiseStreamLayer(layer(), { identity: bob }));
      const client = end(
        t,
        createNoiseStreamLayer(layer(), { identity: createIdentity(), allow: ['ab'.repeat(32)] }),
      );
      await server.listen();
      const error = await failure(t, client.transport.send(server.addr, 'echo', new Uint8Array(1)));
      t.deepEqual(
        [error.code, error.reason, error.origin],
        ['permission_denied', 'denied', 'local'],
      );
      const rejected = await server.event('rejected');
      t.deepEqual([rejected.error.reason, rejected.error.origin], ['denied', 'remote']);
      t.true(
        rejected.error.message.includes(`node ${bob.nodeId} is not allowed`),
        rejected.error.message,
      );
      // The node may be dialed by its id.
      await client.transport.send(`${bob.nodeId}@${server.addr}`, 'echo', new Uint8Array(1));
    },
  );

  test(title('a node without a proof is bad_certificate at both ends'), async (t) => {
    const layer = place();
    const ada = createIdentity();
    const liar = {
      nodeId: ada.nodeId,
      publicKey: ada.publicKey,
      type: ada.type,
      key: '',
      sign: () => new Uint8Array(64),
      verify: () => false,
    };
    const server = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }));
    const client = end(t, createNoiseStreamLayer(layer(), { identity: liar }));
    await server.listen();
    const error = await failure(t, client.transport.send(server.addr, 'echo', new Uint8Array(1)));
    t.deepEqual([error.code, error.reason], ['unauthenticated', 'bad_certificate']);
    t.is((await server.event('rejected')).error.reason, 'bad_certificate');
  });

  test(
    title(
      'a node dialed by id is reached if it proves the id; otherwise both ends get identity_mismatch',
    ),
    async (t) => {
      const layer = place();
      const bob = createIdentity();
      const server = end(t, createNoiseStreamLayer(layer(), { identity: bob }));
      const client = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }));
      await server.listen();
      await client.transport.send(`${bob.nodeId}@${server.addr}`, 'echo', new Uint8Array(1));
      const error = await failure(
        t,
        client.transport.send(`${'cd'.repeat(32)}@${server.addr}`, 'echo', new Uint8Array(1)),
      );
      t.deepEqual(
        [error.code, error.reason, error.sent],
        ['unauthenticated', 'identity_mismatch', false],
      );
      t.true(error.message.includes(bob.nodeId));
      t.is((await server.event('rejected')).error.reason, 'identity_mismatch');
    },
  );

  test(title('updatePeers ends an open connection, and both ends learn the reason'), async (t) => {
    const layer = place();
    const ada = createIdentity();
    const noise = createNoiseStreamLayer(layer(), { identity: createIdentity() });
    const server = end(t, noise);
    const client = end(t, createNoiseStreamLayer(layer(), { identity: ada }));
    await server.listen();
    await client.transport.send(server.addr, 'echo', new Uint8Array(1));
    noise.updatePeers({ deny: [ada.nodeId] });
    const [here, there] = await Promise.all([server.event('down'), client.event('down')]);
    t.deepEqual([here.cause?.reason, there.cause?.reason], ['denied', 'denied']);
    t.deepEqual([here.cause?.origin, there.cause?.origin], ['local', 'remote']);
    t.is(
      (await failure(t, client.transport.send(server.addr, 'echo', new Uint8Array(1)))).reason,
      'denied',
    );
    noise.updatePeers({ deny: [] });
    await client.transport.send(server.addr, 'echo', new Uint8Array(1));
  });

  test(title('a transport may call itself, whatever its lists say'), async (t) => {
    const layer = place();
    const server = end(
      t,
      createNoiseStreamLayer(layer(), { identity: createIdentity(), allow: [] }),
    );
    await server.listen();
    t.deepEqual(
      await server.transport.send(server.addr, 'echo', Uint8Array.of(1)),
      Uint8Array.of(1),
    );
  });

  test(
    title('connections above the handshake limit wait unread; strangers do not keep their places'),
    async (t) => {
      const layer = place();
      const arrivals = watchArrivals(layer(), 2);
      const server = end(
        t,
        createNoiseStreamLayer(arrivals.layer, { identity: createIdentity() }),
        {
          limits: { handshakes: { pending: 1 } },
          handshakeTimeout: 20_000,
        },
      );
      await server.listen();
      const plain = layer();
      t.teardown(() => plain.close());
      const stranger = await plain.dial(server.addr, { timeout: 5_000 });
      stranger.attach({
        data: () => {},
        frames: () => {},
        drained: () => {},
        revoked: () => {},
        closed: () => {},
      });
      const client = end(t, createNoiseStreamLayer(layer(), { identity: createIdentity() }), {
        dialTimeout: 20_000,
      });
      const sent = client.transport.send(server.addr, 'echo', Uint8Array.of(5), {
        timeout: 20_000,
      });
      // The stranger came first, and holds the only handshake slot by staying silent.
      await arrivals.all;
      // Enough turns for the connection to appear, if it were read.
      for (let turns = 0; turns < 20; turns++) await systemClock.sleep(0);
      t.deepEqual(server.transport.remotes(), []);
      stranger.write(new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'));
      t.deepEqual(await sent, Uint8Array.of(5));
      t.regex((await server.event('rejected')).error.message, /HTTP \(a request\)/);
    },
  );
}

test('backends of createTransport are secured by their scheme, each with its own lists', async (t) => {
  const world = inmem();
  const [ada, bob] = [createIdentity(), createIdentity()];
  const [atServer, atClient] = [
    secured(world, { identity: bob }),
    secured(world, { identity: ada }),
  ];
  const server = createTransport('inmem://bob', {
    protocol,
    backends: [atServer, secured(tcp(), { identity: bob })],
  });
  const client = createTransport({ protocol, backends: [atClient, tcp()] });
  t.teardown(() => Promise.all([server.close(), client.close()]));
  serve(server);
  await server.listen();
  t.deepEqual(await client.send('inmem://bob', 'echo', Uint8Array.of(1)), Uint8Array.of(1));
  t.is(client.remotes()[0]!.nodeId, bob.nodeId);
  atServer.updatePeers({ deny: [ada.nodeId] });
  t.is((await failure(t, client.send('inmem://bob', 'echo', Uint8Array.of(1)))).reason, 'denied');
});

test('with a seeded random source two runs send the same bytes', async (t) => {
  const run = async () => {
    const clock = createManualClock();
    const streams = createInmemStreams({ random: seededRandom(5), clock });
    const said: Uint8Array[] = [];
    const identity = (seed: number) => createIdentity({ random: seededRandom(seed) });
    const make = (seed: number) => {
      const layer = createNoiseStreamLayer(record(streams.layer(), said), {
        identity: identity(seed),
        random: seededRandom(seed + 10),
        clock,
      });
      return new NetworkTransport({
        protocol,
        stream: layer,
        random: seededRandom(seed + 20),
        clock,
      });
    };
    const [server, client] = [make(1), make(2)];
    serve(server);
    await server.listen();
    await client.send(server.localAddr(), 'echo', new Uint8Array(100_000).fill(7));
    await Promise.all([client.close(), server.close()]);
    return said.map(toHex);
  };
  const [one, other] = [await run(), await run()];
  t.true(one.length > 6);
  t.true(one.join() === other.join());
});

/** Returns a transport that echoes, and the events it emitted. */
function end(t: ExecutionContext, stream: StreamLayer, options: CommonOptions = {}) {
  const events: ObserverEvent[] = [];
  const waiting = new Set<() => void>();
  const observer = {
    event(event: ObserverEvent) {
      events.push(event);
      for (const look of [...waiting]) look();
    },
  };
  const transport = new NetworkTransport({ ...options, protocol, stream, observer });
  t.teardown(() => transport.close());
  serve(transport);
  return {
    transport,
    events,
    get addr() {
      return transport.localAddr();
    },
    listen: () => transport.listen(),
    /** Resolves with the first event of that type, past or future. */
    event<T extends ObserverEvent['type']>(type: T): Promise<Extract<ObserverEvent, { type: T }>> {
      return new Promise((resolve) => {
        const look = () => {
          const found = events.find((event) => event.type === type);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found as Extract<ObserverEvent, { type: T }>);
        };
        waiting.add(look);
        look();
      });
    },
  };
}

function serve(transport: Transport<Echo>): void {
  void (async () => {
    for await (const rpc of transport.consumer()) rpc.respond(rpc.request);
  })();
}

function failure(t: ExecutionContext, promise: PromiseLike<unknown>): Promise<TransportError> {
  return t.throwsAsync<TransportError>(async () => promise, { instanceOf: TransportError });
}
