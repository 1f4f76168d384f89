// Tests of plain NATS services, with a plain NATS client.

import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { type ServeNatsOptions, serveNats } from './serve-nats.ts';
import { client, eventually, node, type TestTransport } from './testing/nodes.ts';
import type { testProtocol } from './testing/protocol.ts';
import { serverOfFile, natsTest as test } from './testing/server.ts';

const server = (await serverOfFile())!;
const empty = new Uint8Array(0);
type Options = Omit<ServeNatsOptions<typeof testProtocol>, 'connection'>;

test('a plain request gets the response of the method, in JSON', async (t) => {
  const { nats, name } = await service(t);
  t.is((await ask(nats, `${name}.who`, 'null')).string(), '"ada"');
  t.deepEqual((await ask(nats, `${name}.echo`, 'plain bytes')).string(), 'plain bytes');
});

test('a one-way is handled, and answered with nothing if an answer is asked for', async (t) => {
  const { nats, name, notes } = await service(t);
  t.is((await ask(nats, `${name}.note`, '1')).data.length, 0);
  nats.publish(`${name}.note`, '2');
  t.is((await ask(nats, `${name}.note`, '3')).data.length, 0);
  // The answer says that the one-way was sent, so its handler may run later.
  await eventually(() => notes.length === 3);
  t.deepEqual(notes.sort(), [1, 2, 3]);
});

test('errors are headers: of the codec, of the handler, and of the transport', async (t) => {
  const { nats, name } = await service(t);
  const error = async (method: string, data: string) => {
    const { headers, data: content } = await ask(nats, `${name}.${method}`, data);
    t.is(content.length, 0);
    return ['Nats-Service-Error-Code', 'Trunkline-Code', 'Nats-Service-Error'].map((key) =>
      headers?.get(key),
    );
  };
  const [number, code, text] = await error('who', '{"not": "null"}');
  t.deepEqual([number, code], ['400', 'invalid_argument']);
  t.truthy(text);
  t.deepEqual(await error('who', 'not JSON').then((all) => all.slice(0, 2)), [
    '400',
    'invalid_argument',
  ]);
  t.deepEqual(await error('fail', '"not_found"'), ['404', 'not_found', 'it was asked to fail']);
  t.deepEqual(await error('fail', '"unavailable"').then(([first]) => first), '503');
});

test('an error of the transport does not show the address of the target', async (t) => {
  const { nats, name } = await service(t, { target: `nats://${server.address}/nobody` });
  const { headers } = await ask(nats, `${name}.who`, 'null');
  t.is(headers?.get('Trunkline-Code'), 'unavailable');
  t.is(headers?.get('Nats-Service-Error'), 'who: the call of its service failed');
});

test('PING, INFO and STATS describe the service, by all three subjects', async (t) => {
  const { nats, name, exposed } = await service(t, { version: '1.2.3', description: 'A test' });
  for (const subject of [`$SRV.PING.${name}`, `$SRV.PING.${name}.${exposed.id}`])
    t.deepEqual((await ask(nats, subject)).json(), {
      type: 'io.nats.micro.v1.ping_response',
      name,
      id: exposed.id,
      version: '1.2.3',
      metadata: {},
    });
  const all: string[] = [];
  for await (const message of await nats.requestMany('$SRV.PING', empty, { maxWait: 300 }))
    all.push((message.json() as { id: string }).id);
  t.true(all.includes(exposed.id));
  const info = (await ask(nats, `$SRV.INFO.${name}`)).json<Record<string, any>>();
  t.is(info['type'], 'io.nats.micro.v1.info_response');
  t.is(info['description'], 'A test');
  t.deepEqual(
    info['endpoints'].map(({ name: each, subject }: { name: string; subject: string }) => [
      each,
      subject,
    ]),
    ['echo', 'who', 'note', 'fail'].map((method) => [method, `${name}.${method}`]),
  );
  await ask(nats, `${name}.who`, 'null');
  await ask(nats, `${name}.who`, 'wrong');
  const stats = (await ask(nats, `$SRV.STATS.${name}`)).json<Record<string, any>>();
  t.is(stats['type'], 'io.nats.micro.v1.stats_response');
  t.regex(stats['started'], /^\d{4}-\d\d-\d\dT/);
  const who = stats['endpoints'].find((each: { name: string }) => each.name === 'who');
  t.like(who, { num_requests: 2, num_errors: 1, queue_group: 'q' });
  t.true(who.processing_time > 0);
  t.is(who.average_processing_time, Math.round(who.processing_time / 2));
  t.true(who.last_error.length > 0);
});

test('each request reaches one of the processes that expose a service', async (t) => {
  const { nats, name, transport } = await service(t);
  const second = await connect({ servers: server.address });
  t.teardown(() => second.close());
  serveNats(transport, { connection: second, name });
  await second.flush();
  let answers = 0;
  const requests = Array.from({ length: 50 }, () => ask(nats, `${name}.who`, 'null'));
  await Promise.all(requests.map((request) => request.then(() => answers++)));
  t.is(answers, 50);
  const counts: number[] = [];
  const endpointsOf = (message: Msg) =>
    (message.json() as { endpoints: { name: string; num_requests: number }[] }).endpoints;
  for await (const message of await nats.requestMany(`$SRV.STATS.${name}`, empty, { maxWait: 300 }))
    counts.push(endpointsOf(message).find((each) => each.name === 'who')!.num_requests);
  t.is(counts.length, 2);
  t.is(counts[0]! + counts[1]!, 50);
});

test('requests above the concurrency get 429', async (t) => {
  const { nats, name, release } = await service(t, { concurrency: 1 });
  const held = ask(nats, `${name}.fail`, '"hold"');
  const { headers } = await ask(nats, `${name}.who`, 'null');
  t.is(headers?.get('Nats-Service-Error-Code'), '429');
  release();
  await held;
  t.is((await ask(nats, `${name}.who`, 'null')).string(), '"ada"');
});

test('stop answers what is under way, and nothing after', async (t) => {
  const { nats, name, exposed, release } = await service(t);
  const held = nats.request(`${name}.fail`, '"hold"', { timeout: 10_000 });
  await nats.flush();
  // An answer to a later request means that the first one is under way.
  await ask(nats, `${name}.who`, 'null');
  const stopping = exposed.stop();
  release();
  await stopping;
  t.is((await held).headers?.get('Trunkline-Code'), 'aborted');
  await t.throwsAsync(ask(nats, `${name}.who`, 'null'), { message: /no responders/i });
  await exposed.stop();
});

test('a response that cannot be sent throws nothing', async (t) => {
  const transport = await node(t, { servers: server.address }, { who: () => 'ada' });
  const takers = new Map<string, (error: null, message: Msg) => void>();
  const connection = {
    subscribe: (subject: string, { callback }: { callback: (error: null, message: Msg) => void }) =>
      takers.set(subject, callback),
    status: async function* () {},
    isClosed: () => false,
  } as unknown as NatsConnection;
  serveNats(transport, { connection });
  let responses = 0;
  const respond = () => {
    responses++;
    throw new Error('draining');
  };
  const message = { data: new TextEncoder().encode('null'), respond } as unknown as Msg;
  t.notThrows(() => takers.get('$SRV.PING')!(null, message));
  takers.get('test.who')!(null, message);
  await eventually(() => responses === 3);
  // A rejection that nothing handles fails the test run.
  await new Promise((resolve) => setImmediate(resolve));
});

test('stop does not wait for the answers of a server after the connection has closed', async (t) => {
  const { connection, exposed } = await service(t);
  connection.flush = () => {
    void connection.close();
    return new Promise(() => {});
  };
  await t.notThrowsAsync(exposed.stop());
});

test('a gateway exposes the methods of another node', async (t) => {
  const far = await node(t, { servers: server.address }, { who: () => 'far' });
  const gateway = client(t, { servers: server.address });
  const nats = await connect({ servers: server.address });
  t.teardown(() => nats.close());
  serveNats(gateway, {
    connection: nats,
    target: far.localAddr(),
    name: 'gateway',
    methods: ['who'],
  });
  t.is((await ask(nats, 'gateway.who', 'null')).string(), '"far"');
  await t.throwsAsync(ask(nats, 'gateway.echo', 'x'), { message: /no responders/i });
});

test('wrong options and methods that stream are refused', async (t) => {
  const transport = client(t, { servers: server.address });
  const connection = { subscribe: () => {} } as unknown as NatsConnection;
  const wrong = (options: object, message: RegExp) =>
    t.throws(() => serveNats(transport, { connection, ...options }), {
      instanceOf: TypeError,
      message,
    });
  wrong({ connection: undefined }, /serveNats: connection: /);
  wrong({ methods: ['numbers'] }, /'numbers' streams, and a NATS request has one request/);
  wrong({ methods: ['nothing'] }, /protocol 'test' has no method 'nothing'/);
  wrong({ name: 'a.b' }, /serveNats: name: /);
  wrong({ version: '1' }, /serveNats: version: /);
  wrong({ speed: 1 }, /serveNats: .*speed/);
});

let count = 0;

/** A node with exposed methods, on a connection of its own, and a plain client. */
async function service(t: ExecutionContext, options: Options = {}) {
  const notes: number[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const transport: TestTransport = await node(
    t,
    { servers: server.address },
    {
      who: () => 'ada',
      note: (id) => void notes.push(id),
      fail: async (code) => {
        if (code === 'hold') {
          await released;
          throw new TransportError('aborted', 'it was held');
        }
        throw new TransportError(code as 'not_found', 'it was asked to fail');
      },
    },
  );
  const [connection, nats] = await Promise.all([
    connect({ servers: server.address }),
    connect({ servers: server.address }),
  ]);
  t.teardown(() => Promise.all([connection.close(), nats.close()]));
  const name = `service-${++count}`;
  const exposed = serveNats(transport, { connection, name, ...options });
  await connection.flush();
  return { transport, connection, nats, name, exposed, notes, release };
}

/** Sends a request with a time limit that even a busy machine keeps. */
function ask(nats: NatsConnection, subject: string, data?: string): Promise<Msg> {
  return nats.request(subject, data, { timeout: 30_000 });
}
