// The first program of a user, and the defaults that it relies on.

import test from 'ava';
import { z } from 'zod';
import { createTransport, defineProtocol, inmem, json, serve } from './index.ts';

const greeter = defineProtocol({
  name: 'greeter',
  methods: { greet: { request: json(z.string()), response: json(z.string()) } },
});

for (const address of ['tcp://127.0.0.1:0', 'ws://127.0.0.1:0', 'inmem://greeter'])
  test(`without backends, a transport listens on ${address} and dials it`, async (t) => {
    const server = createTransport(address, { protocol: greeter });
    serve(server, { greet: (name) => `Hello, ${name}!` });
    await server.listen();
    const client = createTransport({ protocol: greeter });
    t.is(await client.to(server.localAddr()).greet('Ada'), 'Hello, Ada!');
    await client.close();
    await server.close();
  });

test('an explicit inmem() is a network of its own', async (t) => {
  const server = createTransport('inmem://alone', { protocol: greeter, backends: [inmem()] });
  serve(server, { greet: (name) => `Hello, ${name}!` });
  await server.listen();
  const client = createTransport({ protocol: greeter });
  await t.throwsAsync(client.to('inmem://alone').greet('Ada'), { code: 'unavailable' });
  await client.close();
  await server.close();
});

test('a wrong call gets the error of createTransport', (t) => {
  t.throws(() => createTransport(undefined as never), { instanceOf: TypeError });
  t.throws(() => createTransport('tcp://127.0.0.1:0', undefined as never), {
    instanceOf: TypeError,
    message: /^createTransport/,
  });
  t.throws(() => createTransport({ protocol: greeter, backends: [inmem as never] }), {
    message: /backends\[0\]: is the function 'inmem' itself/,
  });
});
