// Runs the code of docs/nats.md at a NATS server.

import { nkeys } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { startNatsServer, unable } from '@trunkline/local-nats';
import test, { type ExecutionContext } from 'ava';
import { serve } from 'trunkline';
import { createIdentity } from 'trunkline/security';
import { exposeOrders } from './expose.ts';
import { instance, order } from './orders.ts';
import { secureNode } from './secure.ts';

const reason = unable();
const natsTest = (title: string, run: (t: ExecutionContext) => Promise<void>) =>
  reason === undefined ? test(title, run) : test.skip(`${title} (${reason})`, () => {});

natsTest('orders reach one of two instances', async (t) => {
  const { address, kill } = await startNatsServer();
  t.teardown(kill);
  const instances = [await instance(address, 'a'), await instance(address, 'b')];
  t.regex(await order(address, 'apples'), /^[ab] sends apples$/);
  await Promise.all(instances.map((each) => each.close()));
});

natsTest('a secure node is reached by another one with the same nkey', async (t) => {
  const user = nkeys.createUser();
  const config = `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`;
  const { address, kill } = await startNatsServer({ config });
  t.teardown(kill);
  const [node, client] = [createIdentity(), createIdentity()].map((identity) =>
    secureNode([address], user.getSeed(), identity),
  );
  serve(node!, { place: ({ item }) => item });
  await node!.listen();
  t.is(await client!.send('nats://broker/orders', 'place', { item: 'pears' }), 'pears');
  await Promise.all([client!.close(), node!.close()]);
});

natsTest('a plain NATS client calls an exposed method', async (t) => {
  const { address, kill } = await startNatsServer();
  t.teardown(kill);
  const transport = await instance(address, 'a');
  const stop = await exposeOrders(transport, address);
  const plain = await connect({ servers: address });
  const request = () => plain.request('orders.place', '{"item":"plums"}', { timeout: 30_000 });
  t.is((await request()).string(), '"a sends plums"');
  await stop();
  await t.throwsAsync(request());
  await plain.close();
  await transport.close();
});
