import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const shop = defineProtocol({
  name: 'shop',
  methods: {
    place: { request: json(z.string()), response: json(z.string()) }, // to the server
    news: { request: json(z.string()) }, // to the page
  },
});

const server = createTransport('ws://127.0.0.1:0/shop', { protocol: shop });
serve(server, {
  async place(item, { from }) {
    await server.send(from, 'news', `${item} packed`);
    return `${item} ordered`;
  },
});
await server.listen();

const page = createTransport({ protocol: shop });
const news = new Promise((resolve) => serve(page, { news: resolve }));
console.log(await page.send(server.localAddr(), 'place', 'apples', { timeout: 5_000 }));
console.log(await news);
await page.close();
await server.close();
