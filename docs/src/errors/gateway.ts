import {
  createTransport,
  defineProtocol,
  inmem,
  json,
  logEvents,
  serve,
  TransportError,
} from 'trunkline';
import { z } from 'zod';

const stock = defineProtocol({
  name: 'stock',
  methods: { price: { request: json(z.string()), response: json(z.number()) } },
});
const quiet = () => {};
const error = (details: object) => console.log(String((details as { err: unknown }).err));
const log = { debug: quiet, info: quiet, warn: quiet, error };

const backends = [inmem()];
const store = createTransport('inmem://store', { protocol: stock, backends });
serve(store, {
  price(item) {
    if (item === 'tea') return 3;
    throw new TransportError('not_found', `row '${item}' of table prices_v2 is missing`);
  },
});
await store.listen();

const gateway = createTransport('inmem://shop', {
  protocol: stock,
  backends,
  observer: logEvents(log),
});
serve(gateway, {
  async price(item) {
    try {
      return await gateway.send('inmem://store', 'price', item);
    } catch (error) {
      // Passes one code on, with a text and metadata for this caller. All else stays in here.
      if (!(error instanceof TransportError) || error.code !== 'not_found') throw error;
      const { code, metadata } = error;
      throw new TransportError(code, `we don't sell ${item}`, { metadata });
    }
  },
});
await gateway.listen();

const client = createTransport({ protocol: stock, backends });
const shop = client.to('inmem://shop');
console.log(await shop.price('tea'));
await shop.price('coal').catch(({ code, message }) => console.log(`${code}: ${message}`));
await store.close();
await shop.price('tea').catch(({ code, message }) => console.log(`${code}: ${message}`));
for (const transport of [client, gateway]) await transport.close();
