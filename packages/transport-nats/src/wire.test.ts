// Tests of the bytes on the wire, against a client that is written from docs/wire-nats.md.

import type { Msg } from '@nats-io/nats-core';
import { startNatsServer } from '@trunkline/local-nats';
import type { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import type { ExecutionContext } from 'ava';
import { createNatsStreamLayer } from './nats.ts';
import type { NatsStreamLayerOptions } from './nats-options.ts';
import { eventually } from './testing/nodes.ts';
import { natsTest, serverOfFile } from './testing/server.ts';
import {
  ACCEPT,
  CREDIT,
  DATA,
  END,
  REFUSE,
  RESET,
  type Stranger,
  stranger,
} from './testing/stranger.ts';

const shared = (await serverOfFile())!;

natsTest('the handshake: request, accept, confirm', async (t) => {
  const { peer, connection } = await meet(t, 'greeting');
  const [accept] = peer.inbox;
  t.like(accept, { number: 0, type: ACCEPT });
  t.deepEqual(JSON.parse(new TextDecoder().decode(accept!.content)), {
    version: 1,
    credit: 262_144,
    max: 66_560,
  });
  t.regex(accept!.reply, /^trunkline\.default\.in\.greeting\.[A-Za-z0-9]{22}$/);
  t.is(connection.endpoint, 'nats://stranger');
});

natsTest('each message has the next number, and the content of a write', async (t) => {
  const { peer, connection, sink } = await meet(t, 'numbers');
  connection.write(new Uint8Array([1, 2, 3]));
  connection.write(new Uint8Array([4]));
  await peer.until(() => peer.inbox.length === 3);
  t.deepEqual(
    peer.inbox.slice(1).map(({ number, type, content }) => [number, type, [...content]]),
    [
      [1, DATA, [1, 2, 3]],
      [2, DATA, [4]],
    ],
  );
  peer.send(DATA, new Uint8Array([5, 6]));
  peer.send(DATA, new Uint8Array([7]));
  await sink.until(() => sink.bytes.length === 3);
  t.deepEqual(sink.bytes, [5, 6, 7]);
});

natsTest('an end is answered by an end, and then the subject is free', async (t) => {
  const { peer, sink } = await meet(t, 'ends');
  peer.send(DATA, new Uint8Array([1]));
  peer.send(END);
  await sink.until(() => sink.isClosed);
  t.is(sink.error, undefined);
  await peer.until(() => peer.inbox.some(({ type }) => type === END));
  peer.send(DATA, new Uint8Array([1]));
  await peer.until(() => peer.absences > 0);
  t.pass();
});

natsTest('a reset ends the connection at once', async (t) => {
  const { peer, sink } = await meet(t, 'resets');
  peer.send(RESET);
  await sink.until(() => sink.isClosed);
  t.is(sink.error?.reason, 'reset');
});

natsTest('a writer spends the credit that it was granted, and no more', async (t) => {
  const { peer, connection, sink } = await meet(t, 'credit');
  t.false(connection.write(new Uint8Array(200_000)));
  await flushed(peer, connection);
  // One message has 256 units of overhead.
  t.true(peer.received <= 32_768 - 256, `${peer.received} bytes came`);
  t.true(peer.received > 20_000, `${peer.received} bytes came`);
  let granted = 0;
  while (peer.received < 200_000) {
    const before = peer.received;
    granted += 20_000;
    peer.send(CREDIT, uint32(20_000));
    await peer.until(() => peer.received > before || granted > 400_000);
    t.true(peer.received <= 32_768 + granted);
  }
  await sink.until(() => sink.drains === 1);
  t.is(peer.received, 200_000);
});

natsTest(
  'a message ends between frames if it can, and a header stays with its payload',
  async (t) => {
    const { peer, connection } = await meet(t, 'whole', {}, shared.address, {
      credit: 524_288,
      max: 66_560,
    });
    const item = [new Uint8Array(14), new Uint8Array(60_000)];
    connection.writeAll!([...item, ...item, new Uint8Array(100_000), ...item]);
    await peer.until(() => peer.received === 280_042);
    t.deepEqual(
      peer.inbox.filter(({ type }) => type === DATA).map(({ content }) => content.length),
      [60_014, 60_014, 66_555, 33_445, 60_014],
    );
  },
);

natsTest('a reader grants credit for what it took, and only then', async (t) => {
  const { peer, connection } = await meet(t, 'reader');
  connection.pause();
  for (let i = 0; i < 9; i++) peer.send(DATA, new Uint8Array(8_000));
  await flushed(peer, connection);
  t.false(peer.inbox.some(({ type }) => type === CREDIT));
  connection.resume();
  const granted = () =>
    peer.inbox
      .filter(({ type }) => type === CREDIT)
      .reduce((sum, { content }) => sum + new DataView(content.buffer).getUint32(0), 0);
  await peer.until(() => granted() > 0);
  t.true(granted() >= 64_000);
});

natsTest('a peer that sends more than its credit is disconnected', async (t) => {
  const { peer, connection, sink } = await meet(t, 'greedy');
  connection.pause();
  for (let i = 0; i < 33; i++) peer.send(DATA, new Uint8Array(8_000));
  await sink.until(() => sink.isClosed);
  t.is(sink.error?.code, 'resource_exhausted');
  await peer.until(() => peer.inbox.some(({ type }) => type === RESET));
});

natsTest('many tiny messages cost credit, too', async (t) => {
  const { peer, connection, sink } = await meet(t, 'tiny');
  connection.pause();
  for (let i = 0; i < 1_100; i++) peer.send(DATA, new Uint8Array(1));
  await sink.until(() => sink.isClosed);
  t.is(sink.error?.code, 'resource_exhausted');
});

natsTest('wrong grants of credit end the connection', async (t) => {
  for (const [at, content] of [new Uint8Array(3), uint32(0), uint32(2 ** 31)].entries()) {
    const { peer, sink } = await meet(t, `generous-${at}`);
    peer.send(CREDIT, content);
    await sink.until(() => sink.isClosed);
    t.is(sink.error?.reason, 'malformed');
  }
});

natsTest('a wrong request is refused with a text that says what is wrong', async (t) => {
  const layer = await listening(t, 'strict', () => {});
  t.truthy(layer);
  for (const [terms, says] of [
    [{ version: 2, credit: 65_536, max: 65_536 }, /version 2, not 1/],
    [{ version: 1, credit: 10, max: 65_536 }, /grants 10 of credit/],
    [{ version: 1, credit: 65_536 }, /takes messages of undefined bytes/],
    [{}, /version undefined/],
  ] as const) {
    const peer = await stranger(t, shared.address);
    peer.request('strict', terms);
    await peer.until(() => peer.inbox.length === 1);
    const { type, content } = peer.inbox[0]!;
    t.is(type, REFUSE);
    const { reason, message } = JSON.parse(new TextDecoder().decode(content));
    t.is(reason, 'malformed');
    t.regex(message, says);
  }
});

natsTest('messages are no longer than what the peer and the server take', async (t) => {
  const server = await startNatsServer({ config: 'max_payload: 5000' });
  t.teardown(() => server.kill());
  const { peer, connection } = await meet(t, 'short', {}, server.address);
  connection.write(new Uint8Array(20_000));
  await peer.until(() => peer.received === 20_000);
  const lengths = peer.inbox.slice(1).map(({ content }) => content.length + 5);
  t.is(Math.max(...lengths), 5_000);
  const other = await meet(t, 'shorter', {}, shared.address, { max: 2_000 });
  other.connection.write(new Uint8Array(20_000));
  await other.peer.until(() => other.peer.received === 20_000);
  t.is(Math.max(...other.peer.inbox.slice(1).map(({ content }) => content.length + 5)), 2_000);
});

natsTest('a dialer that does not confirm is given up after the handshake timeout', async (t) => {
  const clock = createManualClock();
  const layer = createNatsStreamLayer({
    bindAddr: `nats://${shared.address}/waiting`,
    clock,
  });
  t.teardown(() => layer.close());
  await layer.listen(() => t.fail('nobody confirmed'), undefined, {
    timeout: 500,
    handshakes: { acquire: () => undefined },
  });
  const peer = await stranger(t, shared.address);
  peer.request('waiting');
  await peer.until(() => peer.inbox.length === 1);
  clock.advance(500);
  await peer.until(() => peer.inbox.length === 2);
  t.is(peer.inbox[1]!.type, RESET);
  t.is(clock.timers, 0);
});

natsTest('a dialer that is gone frees its place at once', async (t) => {
  const clock = createManualClock();
  const layer = createNatsStreamLayer({ bindAddr: `nats://${shared.address}/impatient`, clock });
  t.teardown(() => layer.close());
  await layer.listen(() => t.fail('nobody confirmed'));
  const peer = await stranger(t, shared.address);
  // The answer goes to a subject to which nobody has subscribed.
  peer.nats.publish(
    'trunkline.default.dial.impatient',
    JSON.stringify({ version: 1, credit: 65_536, max: 65_536 }),
    { reply: 'trunkline.default.in.ghost.AAAAAAAAAAAAAAAAAAAAAA' },
  );
  const probe = await stranger(t, shared.address);
  probe.request('impatient');
  await probe.until(() => probe.inbox.length === 1);
  // Only the handshake of the probe remains.
  await eventually(() => clock.timers === 1);
  t.pass();
});

natsTest(
  'when the credit of all connections is taken, further dials are refused as full',
  async (t) => {
    const connections: StreamConnection[] = [];
    await listening(t, 'crowded', (connection) => void connections.push(connection), {
      maxPending: 1024 * 1024,
    });
    const peers: Stranger[] = [];
    // Two connections get 256 KiB each, and sixteen get the minimum.
    for (let i = 0; i < 19; i++) {
      const peer = await stranger(t, shared.address);
      peers.push(peer);
      peer.request('crowded');
      await peer.until(() => peer.inbox.length === 1);
    }
    t.is(peers.filter((peer) => peer.inbox[0]!.type === ACCEPT).length, 18);
    const refusal = JSON.parse(new TextDecoder().decode(peers.at(-1)!.inbox[0]!.content));
    t.is(refusal.reason, 'full');
    peers[0]!.peer = peers[0]!.inbox[0]!.reply;
    peers[0]!.send(RESET);
    await peers[0]!.until(() => peers[0]!.inbox.length === 2);
    const late = await stranger(t, shared.address);
    late.request('crowded');
    await late.until(() => late.inbox.length === 1);
    t.is(late.inbox[0]!.type, ACCEPT);
  },
);

natsTest(
  'a dial that reaches a node that has just stopped listening turns to another',
  async (t) => {
    const leaving = await stranger(t, shared.address);
    const name = 'stopped';
    const request = new Promise<Msg>((resolve) => {
      leaving.nats.subscribe(`trunkline.default.dial.${name}`, {
        queue: 'trunkline',
        max: 1,
        callback: (_error, message) => resolve(message),
      });
    });
    await leaving.nats.flush();
    const near = createNatsStreamLayer();
    t.teardown(() => near.close());
    const dial = near.dial(`nats://${shared.address}/${name}`, { timeout: 20_000 });
    leaving.peer = (await request).reply!;
    await listening(t, name, () => {});
    leaving.send(REFUSE, new TextEncoder().encode('{"reason":"closed","message":"it left"}'));
    (await dial).destroy();
    t.is(leaving.absences, 0);
  },
);

natsTest(
  'a request that reaches a node while it stops listening is refused, not lost',
  async (t) => {
    const peer = await stranger(t, shared.address);
    const layer = await listening(t, 'stopping', () => {});
    peer.request('stopping');
    // The server handles the request before it handles what the layer sends after this.
    await peer.nats.flush();
    await layer.close();
    await peer.until(() => peer.inbox.length > 0);
    t.true([ACCEPT, REFUSE].includes(peer.inbox[0]!.type));
    if (peer.inbox[0]!.type === REFUSE)
      t.is(JSON.parse(new TextDecoder().decode(peer.inbox[0]!.content)).reason, 'closed');
  },
);

/** A layer that listens, a stranger that has dialed it, and the connection with a sink. */
async function meet(
  t: ExecutionContext,
  name: string,
  options: NatsStreamLayerOptions = {},
  server = shared.address,
  terms: object = {},
) {
  const sink = new Sink();
  const peer = await stranger(t, server);
  const accepted = new Promise<StreamConnection>((resolve) => {
    void listening(
      t,
      name,
      (connection) => {
        connection.attach(sink);
        resolve(connection);
      },
      options,
      server,
    ).then(async () => {
      await peer.dial(name, { version: 1, credit: 32_768, max: 65_536, ...terms });
    });
  });
  return { peer, sink, connection: await accepted };
}

async function listening(
  t: ExecutionContext,
  name: string,
  accept: (connection: StreamConnection) => void,
  options: NatsStreamLayerOptions = {},
  server = shared.address,
) {
  const layer = createNatsStreamLayer({ ...options, bindAddr: `nats://${server}/${name}` });
  const connections: StreamConnection[] = [];
  t.teardown(async () => {
    for (const connection of connections) connection.destroy();
    await layer.close();
  });
  await layer.listen((connection) => {
    connections.push(connection);
    accept(connection);
  });
  return layer;
}

/** Resolves when both ends have seen everything that has been published so far. */
async function flushed(peer: Stranger, _connection: StreamConnection): Promise<void> {
  for (let i = 0; i < 3; i++) await peer.nats.flush();
}

class Sink implements StreamSink {
  readonly bytes: number[] = [];
  drains = 0;
  isClosed = false;
  error: TransportError | undefined;
  readonly #waiting = new Set<() => void>();

  data(chunk: Uint8Array): void {
    if (chunk.length < 100) this.bytes.push(...chunk);
    this.#wake();
  }

  frames(): void {}

  drained(): void {
    this.drains++;
    this.#wake();
  }

  closed(error?: TransportError): void {
    this.isClosed = true;
    this.error = error;
    this.#wake();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
