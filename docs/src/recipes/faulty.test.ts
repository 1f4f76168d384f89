import { faulty } from '@trunkline/transport-testkit';
import test from 'ava';
import { bytes, createTransport, defineProtocol, serve, tcp } from 'trunkline';

const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});

test('a call over a stalled line ends at its deadline, and the next one is answered', async (t) => {
  const server = createTransport('tcp://127.0.0.1:0', { protocol: echo });
  serve(server, { echo: (request) => request });
  await server.listen();

  // Only the client's end has faults: they cover both directions of its connections.
  const network = faulty(tcp(), { delay: 5, jitter: 10 });
  t.log(`seed ${network.seed}`); // the same seed gives the same faults again
  const client = createTransport({ protocol: echo, backends: [network] });
  const call = (timeout?: number) =>
    client.send(server.advertiseAddr(), 'echo', new Uint8Array(1_000), { timeout });
  t.is((await call()).length, 1_000);

  network.set({ stalled: true });
  await t.throwsAsync(call(200), { code: 'deadline_exceeded' });

  network.set({ stalled: false }); // what waited arrives now, on the same connection
  t.is((await call()).length, 1_000);

  await client.close();
  await server.close();
});
