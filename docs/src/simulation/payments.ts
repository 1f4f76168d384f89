import { describeFault, explore, nemeses, type Simulation } from '@trunkline/simulation';
import { defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const bank = defineProtocol({
  name: 'bank',
  methods: { pay: { request: json(z.int()), response: json(z.null()) } },
});

/** Pays once a second, and repeats a payment until it is confirmed. */
const scenario = (isOnce: boolean) => async (sim: Simulation) => {
  const paid: number[] = [];
  sim.node('bank', async ({ transport }) => {
    const net = transport(bank);
    serve(net, {
      pay(payment) {
        // The bug: the answer may be lost after the money was moved, and the call comes again.
        if (!isOnce || !paid.includes(payment)) paid.push(payment);
        return null;
      },
    });
    await net.listen();
  });
  sim.node('shop', async ({ transport, clock }) => {
    const net = transport(bank);
    for (let payment = 1; payment <= 20; ) {
      const sent = net.send('bank', 'pay', payment, { timeout: 500 });
      if (await sent.then(() => true).catch(() => false)) payment++;
      await clock.sleep(1_000);
    }
  });
  sim.always('each payment is made once', () => {
    const twice = paid.find((payment, at) => paid.indexOf(payment) !== at);
    if (twice !== undefined) throw new Error(`payment ${twice} was made twice`);
  });
  await sim.run(30_000);
};

for (const isOnce of [false, true]) {
  const name = isOnce ? 'mended' : 'broken';
  const nemesis = nemeses.oneWay();
  const { passed, failed } = await explore({
    name,
    seeds: 10,
    nemesis,
    scenario: scenario(isOnce),
  });
  console.log(`${name}: ${passed} of 10 seeds passed`);
  for (const { error, schedule } of failed) {
    console.log(error.message.split('\n')[0]);
    for (const fault of schedule) console.log(`${fault.at} ms: ${describeFault(fault)}`);
  }
}
