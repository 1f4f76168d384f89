import { describeFault, explore, nemeses, type Simulation } from '@trunkline/simulation';
import { defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const bank = defineProtocol({
  name: 'bank',
  version: 1,
  channel: 0x20,
  methods: {
    pay: { id: 1, request: json(z.object({ payment: z.int() })), response: json(z.null()) },
  },
});

/** Pays once a second, and repeats a payment until it is confirmed. */
function scenario(isOnce: boolean) {
  return async (sim: Simulation) => {
    const paid: number[] = [];
    sim.node('bank', async ({ transport }) => {
      const net = transport(bank);
      serve(net, {
        pay({ payment }) {
          // The bug: the answer may be lost after the money was moved, and the call comes again.
          if (!isOnce || !paid.includes(payment)) paid.push(payment);
          return null;
        },
      });
      await net.listen();
    });
    sim.node('shop', ({ transport, clock }) => {
      const net = transport(bank);
      async function payAll() {
        for (let payment = 1; payment <= 20; ) {
          const isPaid = await net.send('bank', 'pay', { payment }, { timeout: 500 }).then(
            () => true,
            () => false,
          );
          if (isPaid) payment++;
          await clock.sleep(1_000);
        }
      }
      void payAll();
    });
    sim.always('each payment is made once', () => {
      const twice = paid.find((payment, at) => paid.indexOf(payment) !== at);
      if (twice !== undefined) throw new Error(`payment ${twice} was made twice`);
    });
    await sim.run(30_000);
  };
}

for (const isOnce of [false, true]) {
  const { passed, failed } = await explore({
    seeds: 10,
    name: isOnce ? 'mended' : 'broken',
    scenario: scenario(isOnce),
    nemesis: nemeses.oneWay(),
  });
  console.log(`${isOnce ? 'mended' : 'broken'}: ${passed} of 10 seeds passed`);
  const [first] = failed;
  if (first === undefined) continue;
  console.log(first.error.message.split('\n')[0]);
  for (const fault of first.schedule) console.log(`${fault.at} ms: ${describeFault(fault)}`);
}
