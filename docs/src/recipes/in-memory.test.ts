import test from 'ava';
import {
  createTransport,
  defineProtocol,
  direct,
  inmem,
  json,
  serve,
  type Transport,
  type TransportError,
} from 'trunkline';
import { z } from 'zod';

const counters = defineProtocol({
  name: 'counters',
  methods: { add: { request: json(z.int()), response: json(z.int()) } },
});

/** The code under test: it receives its transport, so a test can give it any. */
function startCounter(transport: Transport<typeof counters>) {
  let sum = 0;
  serve(transport, { add: (number) => (sum += number) });
  return transport.listen();
}

test('a counter adds what its callers send', async (t) => {
  const backends = [inmem()]; // a world of its own
  const server = createTransport('inmem://counter', { protocol: counters, backends });
  await startCounter(server);
  const client = createTransport({ protocol: counters, backends });
  t.is(await client.send('inmem://counter', 'add', 2), 2);
  await server.close();
  const error = await t.throwsAsync<TransportError>(client.send('inmem://counter', 'add', 1));
  t.like(error, { code: 'unavailable', reason: 'connection_refused', sent: false });
  await client.close();
});

test('a counter keeps its sum while a caller is cut off', async (t) => {
  const net = direct();
  const server = createTransport('inmem://counter', { protocol: counters, backends: [net] });
  const client = createTransport('inmem://client', { protocol: counters, backends: [net] });
  net.connectAll();
  await startCounter(server);
  t.is(await client.send('inmem://counter', 'add', 2), 2);

  net.disconnect('client', 'counter');
  await t.throwsAsync(client.send('inmem://counter', 'add', 1), { code: 'unavailable' });
  net.connect('client', 'counter');
  t.is(await client.send('inmem://counter', 'add', 3), 5);
  await client.close();
  await server.close();
});
