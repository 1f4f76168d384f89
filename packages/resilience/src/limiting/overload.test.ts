// An overloaded server with and without admission, in simulation.

import { createSimulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import test from 'ava';
import { resilienceMetadata } from '../resilience-metadata.ts';
import { createAdmission } from './admission.ts';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { work: { id: 1, request: bytes, response: bytes, timeout: 500 } },
});
/** Milliseconds of work for each call; with this value the server handles 100 calls per second. */
const WORK = 10;
const SECONDS = 20;

/**
 * Sends 200 calls per second to the server; a fourth of them are important. Returns the share of
 * each kind that succeeded, and the number of calls per second that the server handled in time.
 */
async function runOverload(isAdmitted: boolean) {
  const sim = createSimulation({ seed: 1, link: { latency: [1, 2] } });
  sim.node('server', async ({ transport, clock }) => {
    const admission = createAdmission({ clock, limit: { initial: 4, min: 1, max: 50 } });
    const server = isAdmitted ? [admission.interceptor] : [];
    const net = transport(orders, { interceptors: { server } });
    let busyUntil = 0;
    serve(net, {
      async work(request) {
        busyUntil = Math.max(busyUntil, clock.now()) + WORK;
        await clock.sleep(busyUntil - clock.now());
        return request;
      },
    });
    await net.listen();
    return () => net.close();
  });
  const counts = { important: { made: 0, well: 0 }, other: { made: 0, well: 0 } };
  sim.node('client', ({ transport, clock, random }) => {
    const net = transport(orders);
    const load = async () => {
      for (let n = 0; n < 200 * SECONDS; n++) {
        const kind = n % 4 === 0 ? 'important' : 'other';
        const count = counts[kind];
        const metadata = { [resilienceMetadata.priority]: kind === 'important' ? '8' : '2' };
        count.made++;
        net.send('server', 'work', new Uint8Array(8), { metadata }).then(
          () => count.well++,
          () => {},
        );
        await clock.sleep(10 * random());
      }
    };
    void load();
    return () => net.close();
  });
  await sim.run(SECONDS * 1_000 + 2_000);
  await sim.close();
  const { important, other } = counts;
  return {
    important: important.well / important.made,
    other: other.well / other.made,
    rate: (important.well + other.well) / SECONDS,
  };
}

test.serial('an overloaded server handles the important calls, and wastes no work', async (t) => {
  const admitted = await runOverload(true);
  t.log('with admission', admitted);
  t.true(admitted.important > 0.9);
  t.true(admitted.rate > 85);
  const without = await runOverload(false);
  t.log('without', without);
  t.true(without.rate < 20, 'its queue holds calls whose callers have given up');
});
