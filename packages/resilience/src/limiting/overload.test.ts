// An overloaded server with and without admission, in simulation.

import { createSimulation } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { resilienceMetadata } from '../resilience-metadata.ts';
import test from '../testing/serial.ts';
import { createAdmission } from './admission.ts';

const orders = defineProtocol({
  name: 'orders',
  channel: 0x20,
  methods: { work: { id: 1, request: bytes, response: bytes, timeout: 500 } },
});
/** Milliseconds of work for each call; with this value the server handles 100 calls per second. */
const WORK = 10;
const SECONDS = 20;

/** Calls per second that are important: 60 % of what the server can handle. */
const IMPORTANT = 60;

/**
 * Sends `overload` times the calls to the server that it can handle. Returns the shares of important
 * and other calls that succeeded in time, and the number of those calls per second.
 */
async function runOverload(overload: number, isAdmitted: boolean, seed = 1) {
  const sim = createSimulation({ seed, link: { latency: [1, 2] } });
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
    const load = async (kind: keyof typeof counts, priority: string, rate: number) => {
      const count = counts[kind];
      const metadata = { [resilienceMetadata.priority]: priority };
      for (const end = clock.now() + SECONDS * 1_000; clock.now() < end; ) {
        count.made++;
        net.send('server', 'work', new Uint8Array(8), { metadata }).then(
          () => count.well++,
          () => {},
        );
        // Independent arrivals: the gaps are exponential.
        await clock.sleep((-1_000 / rate) * Math.log(1 - random()));
      }
    };
    void load('important', '8', IMPORTANT);
    void load('other', '2', (overload * 1_000) / WORK - IMPORTANT);
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

for (const overload of [2, 3, 5])
  test(`at ${overload} times its load, a server answers the important calls`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const { important, other, rate } = await runOverload(overload, true, seed);
      const told = `${important} of the important, ${other} of the others, ${rate} a second`;
      t.log(told);
      t.true(important >= 0.995, told);
      t.true(rate > 95, told);
    }
  });

test('without admission, an overloaded server answers calls nobody waits for', async (t) => {
  const { rate } = await runOverload(2, false);
  t.true(rate < 20, `its queue holds calls whose callers have given up: ${rate} a second`);
});
