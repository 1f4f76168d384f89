// Tests of a change of health that many watch.

import { bytes, createTransport, defineProtocol, systemClock } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test from 'ava';
import { healthProtocol, serveHealth } from '../index.health.ts';

const protocol = defineProtocol({
  name: 'orders',
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

test('a change wakes 128 watches in a turn of the event loop, and all of them in the end', async (t) => {
  const backends = [inmem()];
  let looks = 0;
  let most = 0;
  const count = () => {
    most = Math.max(most, looks);
    looks = 0;
  };
  const clock = {
    ...systemClock,
    turn: (callback: () => void) =>
      systemClock.turn!(() => {
        count();
        callback();
      }),
  };
  const server = createTransport('inmem://watched', { protocol, backends, clock });
  const health = serveHealth(server);
  await server.listen();
  const clients = Array.from({ length: 5 }, () => createTransport({ protocol, backends }));
  t.teardown(() => Promise.all([...clients, server].map((each) => each.close())));
  const watches: AsyncIterator<string>[] = [];
  for (const client of clients) {
    const asked = client.mount(healthProtocol);
    for (let i = 0; i < 100; i++) {
      const statuses = await asked.send('inmem://watched', 'watch', 'database');
      watches.push(statuses[Symbol.asyncIterator]());
    }
  }
  const next = async () => Promise.all(watches.map(async (each) => (await each.next()).value));
  t.deepEqual(new Set(await next()), new Set(['unknown']));

  const status = health.status.bind(health);
  health.status = (service) => {
    looks++;
    return status(service);
  };
  health.set('database', 'serving');
  t.deepEqual(new Set(await next()), new Set(['serving']));
  count();
  // A watch looks again after it has yielded the status.
  t.is(most, 2 * 128);

  // A change while the watches of the last one are woken reaches all of them, too.
  health.set('database', 'not_serving');
  health.set('database', 'serving');
  health.set('database', 'not_serving');
  t.deepEqual(new Set(await next()), new Set(['not_serving']));
});
