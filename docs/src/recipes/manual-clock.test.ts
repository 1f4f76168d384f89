import test from 'ava';
import { createTransport, defineProtocol, inmem, json, serve, type Transport } from 'trunkline';
import { createManualClock } from 'trunkline/testing';
import { z } from 'zod';

const prices = defineProtocol({
  name: 'prices',
  methods: { price: { request: json(z.string()), response: json(z.int()) } },
});

/** The code under test: asks for a price, and keeps it for a minute by the transport's clock. */
function createCache(transport: Transport<typeof prices>) {
  let [price, until] = [0, 0];
  return async () => {
    if (transport.clock.now() < until) return price;
    price = await transport.send('inmem://shop', 'price', 'tea');
    until = transport.clock.now() + 60_000;
    return price;
  };
}

test('a price is asked for again after a minute', async (t) => {
  const clock = createManualClock(); // stands still until the test moves it
  const backends = [inmem()];
  const shop = createTransport('inmem://shop', { protocol: prices, backends, clock });
  let price = 3;
  serve(shop, { price: () => price });
  await shop.listen();
  const client = createTransport({ protocol: prices, backends, clock });
  const priceOfTea = createCache(client);

  t.is(await priceOfTea(), 3);
  price = 4;
  clock.advance(59_999);
  t.is(await priceOfTea(), 3);
  clock.advance(1);
  t.is(await priceOfTea(), 4);

  await client.close();
  await shop.close();
});
