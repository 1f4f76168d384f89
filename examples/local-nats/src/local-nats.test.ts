// Tests of starting NATS servers.

import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { startNatsCluster, startNatsServer, unable } from './index.ts';

const reason = unable();
const run = reason === undefined ? test : test.skip;
const titled = (title: string) => (reason === undefined ? title : `${title} (${reason})`);

run(titled('a server greets its clients, and is gone after kill'), async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.kill());
  const socket = connect(server.port, '127.0.0.1');
  const [greeting] = await once(socket, 'data');
  t.regex(String(greeting), /^INFO \{/);
  await server.kill();
  await server.kill();
  const again = connect(server.port, '127.0.0.1');
  const [error] = await once(again, 'error');
  t.is((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

run(titled('a cluster of three has three addresses'), async (t) => {
  const servers = await startNatsCluster(3);
  t.teardown(() => Promise.all(servers.map((server) => server.kill())));
  t.is(new Set(servers.map(({ address }) => address)).size, 3);
});

run(titled('a wrong configuration is reported with the log of the server'), async (t) => {
  await t.throwsAsync(startNatsServer({ config: 'nonsense {' }), {
    message: /nats-server has ended/,
  });
});
