// A program whose first AsyncLocalStorage store is entered in a handler. Prints what its calls see.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createTransport, inmem, serve } from '../index.ts';
import { echo } from './echo.ts';

const store = new AsyncLocalStorage<string>();
const backends = [inmem()];
const server = createTransport('inmem://server', { protocol: echo, backends });
serve(server, {
  say(text) {
    const before = store.getStore() ?? 'none';
    store.enterWith(text);
    return before;
  },
});
await server.listen();
const client = createTransport({ protocol: echo, backends });
await client.dial('inmem://server');
const to = client.to('inmem://server');
const together = await Promise.all([to.say('a'), to.say('b'), to.say('c')]);
console.log(...together, await to.say('d'), await to.say('e'));
