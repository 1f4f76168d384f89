// Tests of names: the node that a dial reaches, and the result if no node has the name.

import { connect } from '@nats-io/transport-node';
import { startNatsServer } from '@trunkline/local-nats';
import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { createNatsStreamLayer, nats } from './nats.ts';
import { client, eventually, node } from './testing/nodes.ts';
import { natsTest, serverOfFile } from './testing/server.ts';

const server = (await serverOfFile())!;

natsTest('a call to a name without a node fails at once: unavailable, sent is false', async (t) => {
  const near = client(t, { servers: server.address });
  const error = await t.throwsAsync(
    near.send(`nats://${server.address}/nobody`, 'echo', new Uint8Array(1), { timeout: 60_000 }),
    { instanceOf: TransportError },
  );
  t.like(error, { code: 'unavailable', reason: 'connection_refused', sent: false });
  t.regex(error.message, /nobody: no node listens under this name/);
});

natsTest(
  'of three nodes under one name, each dial reaches one, and each node is reached',
  async (t) => {
    const bindAddr = `nats://${server.address}/orders`;
    for (const name of ['a', 'b', 'c']) await node(t, { bindAddr }, { who: () => name });
    const reached = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const near = client(t, {});
      reached.add(await near.send(bindAddr, 'who', null));
      t.is(near.remotes().length, 1);
      await near.close();
    }
    t.deepEqual([...reached].sort(), ['a', 'b', 'c']);
  },
);

natsTest('when the only node under a name closes, the name is refused at once', async (t) => {
  const bindAddr = `nats://${server.address}/leaving`;
  const far = await node(t, { bindAddr });
  const near = client(t, {});
  t.deepEqual(await near.send(bindAddr, 'echo', new Uint8Array([7])), new Uint8Array([7]));
  await far.close();
  await t.throwsAsync(near.send(bindAddr, 'echo', new Uint8Array(1)), {
    message: /no node listens under this name/,
  });
});

natsTest('nodes of another network or prefix are not found', async (t) => {
  const bindAddr = `nats://${server.address}/apart`;
  await node(t, { bindAddr, network: 'red' });
  await node(t, { bindAddr, prefix: 'other' });
  for (const network of ['default', 'blue'])
    await t.throwsAsync(client(t, { network }).send(bindAddr, 'echo', new Uint8Array(1)), {
      message: /no node listens under this name/,
    });
  t.is((await client(t, { network: 'red' }).send(bindAddr, 'echo', new Uint8Array(9))).length, 9);
});

natsTest('a layer without a name gets a random one, which others can dial', async (t) => {
  const far = createNatsStreamLayer({ servers: server.address });
  t.teardown(() => far.close());
  const accepted: unknown[] = [];
  await far.listen((connection) => void accepted.push(connection));
  t.regex(far.localAddr(), /^nats:\/\/127\.0\.0\.1:\d+\/[A-Za-z0-9]{22}$/);
  const near = createNatsStreamLayer();
  t.teardown(() => near.close());
  const connection = await near.dial(far.localAddr(), { timeout: 20_000 });
  connection.write(new Uint8Array(1));
  await eventually(() => accepted.length === 1);
});

natsTest('with servers, those in an address are ignored', async (t) => {
  const far = await node(t, { servers: server.address });
  const name = far.localAddr().split('/').at(-1)!;
  const near = client(t, { servers: [server.address] });
  t.is(
    (await near.send(`nats://elsewhere.example:1/${name}`, 'echo', new Uint8Array(2))).length,
    2,
  );
});

natsTest('a request from a subject outside the network gets no answer', async (t) => {
  // A client that has subscribed to everything counts as a node under every name.
  const own = await startNatsServer();
  t.teardown(() => own.kill());
  const bindAddr = `nats://${own.address}/careful`;
  await node(t, { bindAddr });
  const raw = await connect({ servers: own.address });
  t.teardown(() => raw.close());
  const heard: string[] = [];
  raw.subscribe('>', { callback: (_error, { subject }) => void heard.push(subject) });
  const terms = JSON.stringify({ version: 1, credit: 65_536, max: 65_536 });
  for (const reply of [
    'victim.subject',
    'trunkline.default.dial.careful',
    'trunkline.default.in.x',
  ])
    raw.publish('trunkline.default.dial.careful', terms, { reply });
  await raw.flush();
  // A dial that arrives later is answered later.
  t.is((await client(t, {}).send(bindAddr, 'echo', new Uint8Array(1))).length, 1);
  await raw.flush();
  t.is(heard.filter((subject) => subject.startsWith('victim')).length, 0);
  t.is(heard.filter((subject) => subject === 'trunkline.default.in.x').length, 0);
  // Three subscriptions are ours, and one belongs to the dial.
  t.is(heard.filter((subject) => subject === 'trunkline.default.dial.careful').length, 4);
});

natsTest('a NATS server that is not there is reported with its address', async (t) => {
  const gone = await startNatsServer();
  await gone.kill();
  const near = client(t, {});
  const error = await t.throwsAsync(
    near.send(`nats://${gone.address}/orders`, 'echo', new Uint8Array(1)),
    { instanceOf: TransportError },
  );
  t.like(error, { code: 'unavailable', reason: 'connection_refused', sent: false });
  t.true(error.message.includes(`NATS server ${gone.address}: nothing listens`), error.message);
  const listening = client(t, { bindAddr: `nats://${gone.address}/orders` });
  await t.throwsAsync(listening.listen(), { message: /^Cannot listen at nats:.*nothing listens/ });
  await listening.close();
});

test('wrong options are refused, and secrets need servers', (t) => {
  const wrong = (make: () => unknown, message: RegExp) =>
    t.throws(make, { instanceOf: TypeError, message });
  wrong(() => nats({ user: 'ada', pass: 'secret' }), /nats: user: needs 'servers'/);
  wrong(() => nats({ token: 'x' }), /nats: token: needs 'servers'/);
  wrong(() => nats({ servers: [] }), /nats: servers: must not be empty/);
  wrong(() => nats({ prefix: 'a b' }), /nats: prefix: /);
  wrong(() => nats({ node: 'a.*' }), /nats: node: /);
  wrong(() => nats({ maxPending: 1 }), /nats: maxPending: /);
  wrong(() => client(t, { bindAddr: 'nats://x' }), /bindAddr: Cannot listen at/);
  wrong(() => nats({ speed: 1 } as never), /nats: .*speed/);
  wrong(() => createNatsStreamLayer({ advertiseAddr: 'tcp://a:1' }), /advertiseAddr/);
});
