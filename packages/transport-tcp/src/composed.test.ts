// Tests the parts that a program combines: createTransport over backends, keys that change at run
// time, and errors that show where a call was made.

import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { inspect } from 'node:util';
import { createIdentity, selfSigned } from '@trunkline/security';
import { createTransport, serve, type Transport, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { tcp } from './index.ts';
import { echo } from './testing/echo.ts';

async function credentials() {
  const identity = createIdentity();
  return { identity, key: identity.key, cert: await selfSigned(identity) };
}

test('a backend that was passed without calling it is named in the error', (t) => {
  t.throws(() => createTransport({ protocol: echo, backends: [tcp] as never }), {
    instanceOf: TypeError,
    message: "createTransport: backends[0]: is the function 'tcp' itself: call it, as in [tcp()]",
  });
});

test('updateTls of a transport applies to its backends', async (t) => {
  const [a, b] = [await credentials(), await credentials()];
  const tls = (own: typeof a, other: typeof a) => ({
    key: own.key,
    cert: own.cert,
    allow: [other.identity.nodeId],
  });
  const server = createTransport('tcp://127.0.0.1:0', {
    protocol: echo,
    backends: [tcp({ tls: tls(a, b) })],
  });
  serve(server, { echo: (request) => request });
  await server.listen();
  const client = createTransport({ protocol: echo, backends: [tcp({ tls: tls(b, a) })] });
  t.is((await client.send(server.localAddr(), 'echo', Uint8Array.of(1))).length, 1);
  await server.updateTls({ deny: [b.identity.nodeId] });
  await t.throwsAsync(client.send(server.localAddr(), 'echo', Uint8Array.of(1)), {
    message: /denied/,
  });
  await t.throwsAsync(server.updateTls({ cert: 'none' }), { message: /tls\.cert/ });
  await client.close();
  await server.close();
  const plain = createTransport({ protocol: echo, backends: [tcp()] });
  const error = await t.throwsAsync<TransportError>(plain.updateTls({ deny: [] }), {
    instanceOf: TransportError,
  });
  t.is(error.code, 'failed_precondition');
  await plain.close();
});

test('an error is printed under its own name', (t) => {
  const error = new TransportError('internal', 'boo');
  t.true(inspect(error).startsWith('TransportError: boo\n'), inspect(error));
  t.is(TransportError.name, 'TransportError');
});

/** A call in a named function, so that its stack frame can be found. */
function theCallOfMine(transport: Transport<typeof echo>) {
  return transport.send('127.0.0.1:1', 'echo', new Uint8Array(1));
}

test('with callerStacks a failed call shows where it was made, otherwise it does not', async (t) => {
  for (const callerStacks of [true, false]) {
    const transport = createTransport({ protocol: echo, callerStacks, backends: [tcp()] });
    const { stack } = (await t.throwsAsync(theCallOfMine(transport)))!;
    t.is(
      /\nsend was called:\n +at theCallOfMine .*composed\.test/.test(stack!),
      callerStacks,
      stack,
    );
    const dialed = (await t.throwsAsync(transport.dial('127.0.0.1:1')))!.stack!;
    t.is(/\ndial was called:\n +at .*composed\.test/.test(dialed), callerStacks, dialed);
    await transport.close();
  }
});

test('TRUNKLINE_CALLER_STACKS=1 enables callerStacks', (t) => {
  const code = `
    import { createTransport, defineProtocol, bytes } from '@trunkline/transport-core';
    import { tcp } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};
    const protocol = defineProtocol({ name: 'echo', version: 1, channel: 0x20, methods: { echo: { id: 1, request: bytes, response: bytes } } });
    const transport = createTransport({ protocol, backends: [tcp()] });
    async function mine() { await transport.send('127.0.0.1:1', 'echo', new Uint8Array(1)).catch((error) => console.log(error.stack)); }
    await mine();
    await transport.close();`;
  const run = (value: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: new URL('..', import.meta.url),
      env: { ...process.env, TRUNKLINE_CALLER_STACKS: value },
      encoding: 'utf8',
    });
  t.regex(run('1'), /send was called:\n +at mine/);
  t.notRegex(run(''), /was called/);
});
