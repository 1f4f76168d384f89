// Tests of servers whose max_payload is below what a connection needs.

import { startNatsServer } from '@trunkline/local-nats';
import { serveHealth } from '@trunkline/resilience/health';
import type { ObserverEvent, TransportError } from '@trunkline/transport-core';
import { client, eventually, node } from './testing/nodes.ts';
import { natsTest as test } from './testing/server.ts';

const TOO_SMALL =
  /the NATS server 127\.0\.0\.1:\d+ accepts messages of up to 256 bytes \(max_payload\), and connections need at least 1024/;

test('listen and dials refuse a server with a small max_payload', async (t) => {
  const server = await startNatsServer({ config: 'max_payload: 256' });
  t.teardown(() => server.kill());
  const bindAddr = `nats://${server.address}/orders`;
  const listen = await t.throwsAsync<TransportError>(client(t, { bindAddr }).listen());
  t.is(listen?.code, 'failed_precondition');
  t.regex(listen!.message, /^Cannot listen at /);
  t.regex(listen!.message, TOO_SMALL);
  const dial = await t.throwsAsync<TransportError>(client(t, {}).send(bindAddr, 'who', null));
  t.like(dial, { code: 'failed_precondition', sent: false });
  t.regex(dial!.message, /^Cannot connect to /);
  t.regex(dial!.message, TOO_SMALL);
});

test('a server with the smallest max_payload serves calls', async (t) => {
  const server = await startNatsServer({ config: 'max_payload: 1024' });
  t.teardown(() => server.kill());
  const far = await node(t, { servers: server.address });
  const request = new Uint8Array(100_000).fill(7);
  t.deepEqual(await client(t, {}).send(far.localAddr(), 'echo', request), request);
});

test('max_payload is lowered: the listener fails, and listens again once it is raised', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.kill());
  const failures: TransportError[] = [];
  const observer = {
    event: (event: ObserverEvent) => {
      if (event.type === 'listenFailed') failures.push(event.error);
    },
  };
  const bindAddr = `nats://${server.address}/orders`;
  const far = await node(t, { bindAddr, observer }, { who: () => 'far'.repeat(1_000) });
  const health = serveHealth(far);
  // Its connection ends because the node says so once it is back, and not by a keep-alive.
  const near = client(t, { keepAlive: { interval: 600_000 } });
  await near.send(bindAddr, 'who', null);

  // The server tells this to nobody, and disconnects a client that sends a longer message.
  await server.reload('max_payload: 256');
  const call = near.send(bindAddr, 'who', null, { timeout: 3_600_000 });
  await eventually(() => failures.length > 2);
  t.regex(failures[0]!.message, /lost \(Maximum Payload Violation\)/);
  t.is(failures[1]?.code, 'failed_precondition');
  t.regex(failures[1]!.message, TOO_SMALL);
  t.false(health.isReady);

  await server.reload('max_payload: 1MB');
  await t.throwsAsync(call, { code: 'unavailable' });
  await eventually(() => health.isReady);
  t.is((await client(t, {}).send(bindAddr, 'who', null)).length, 3_000);
});
