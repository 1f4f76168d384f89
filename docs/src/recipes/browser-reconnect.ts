import { faulty } from '@trunkline/transport-testkit';
import { createTransport, defineProtocol, json, type Remote, serve, ws } from 'trunkline';
import { z } from 'zod';

const board = defineProtocol({
  name: 'board',
  methods: {
    join: { request: json(z.string()), response: json(z.array(z.string())) },
    note: { request: json(z.string()), response: json(z.boolean()) },
  },
});

const server = createTransport('ws://127.0.0.1:0', { protocol: board });
const notes = ['milk'];
let latest: Remote | undefined;
serve(server, {
  join(_name, { from }) {
    latest = from;
    return notes;
  },
});
await server.listen();

// The page. In a browser, this part is the same, with `wss://app.example/rpc` as the address.
const SERVER = server.advertiseAddr();
const network = faulty(ws()); // for this program, which cuts the connection itself
const page = createTransport({ protocol: board, backends: [network] });
serve(page, {
  note(text) {
    console.log(`the server calls: ${text}`);
    return true;
  },
});
page.hold(SERVER); // dials now, and again whenever the connection is lost

let visits = 0;
for await (const event of page.connections()) {
  if (event.type === 'failed') {
    const { error, retryIn } = event; // the server is away, or it refuses this page
    console.log(retryIn === undefined ? `sign in again: ${error.message}` : 'connecting');
  } else if (event.type === 'down') {
    console.log('offline');
    notes.push('bread'); // happens while the page is away
  } else {
    console.log('online:', await page.send(event.remote, 'join', 'Ada')); // after each connect
    if (++visits === 1) network.cut();
    else break;
  }
}
await server.send(latest!, 'note', 'tea');
await page.close();
await server.close();
