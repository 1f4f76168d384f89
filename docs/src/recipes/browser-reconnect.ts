import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const board = defineProtocol({
  name: 'board',
  methods: { join: { request: json(z.string()), response: json(z.array(z.string())) } },
});
const server = createTransport('ws://127.0.0.1:0', { protocol: board });
const notes = ['milk'];
serve(server, { join: () => notes });
await server.listen();

// The page. In a browser, the address is `wss://app.example/rpc`.
const SERVER = server.advertiseAddr();
const page = createTransport({ protocol: board });
page.hold(SERVER); // dials now, and again whenever the connection is lost

let visits = 0;
for await (const event of page.connections()) {
  if (event.type === 'failed') {
    const { error, retryIn } = event;
    console.log(retryIn === undefined ? `sign in again: ${error.message}` : 'connecting');
  } else if (event.type === 'down') {
    console.log('offline');
    notes.push('bread'); // happens while the page is away
  } else {
    console.log('online:', await page.send(event.remote, 'join', 'Ada')); // after each connect
    if (++visits === 2) break;
    await server.closeStreams(); // this program cuts the connection itself
  }
}
await page.close();
await server.close();
