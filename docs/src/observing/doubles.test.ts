import test from 'ava';
import { type ClientInterceptor, createTransport, defineProtocol, inmem, json } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

/** Answers calls in place of servers, and records their requests. */
function double(answers: Record<string, (request: never) => unknown>, calls: unknown[]) {
  const interceptor: ClientInterceptor = () => async (call) => {
    calls.push([call.target, call.method, call.request]);
    return answers[call.method]!(call.request as never);
  };
  return interceptor;
}

test('a test double answers without a server', async (t) => {
  const calls: unknown[] = [];
  const client = createTransport({
    protocol: greeter,
    backends: [inmem()],
    interceptors: { client: [double({ greet: (name: string) => `Hi, ${name}` }, calls)] },
  });
  t.is(await client.send('inmem://anywhere', 'greet', 'Ada'), 'Hi, Ada');
  t.deepEqual(calls, [['inmem://anywhere', 'greet', 'Ada']]);
  await client.close();
});
