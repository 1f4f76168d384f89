// Tests of the tracing channels of node:diagnostics_channel.

import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import {
  bytes,
  type CallRecord,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import type { DialRecord } from '@trunkline/transport-core/backend';
import test from 'ava';
import { tcp } from './index.ts';

const protocol = defineProtocol({
  name: 'traced',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    fail: { id: 2, request: bytes, response: bytes },
  },
});

test.serial('subscribers of the tracing channels follow dials, calls and handlers', async (t) => {
  const context = new AsyncLocalStorage<string>();
  const server = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
  t.teardown(() => server.close());
  serve(server, {
    echo: () => new TextEncoder().encode(context.getStore() ?? 'none'),
    fail: () => {
      throw new TransportError('aborted', 'no');
    },
  });
  await server.listen();
  const client = createTransport({ protocol, backends: [tcp()] });
  t.teardown(() => client.close());
  const to = server.advertiseAddr();
  const ask = async () =>
    new TextDecoder().decode(await client.send(to, 'echo', new Uint8Array(1)));
  const log: string[] = [];
  const subscribers = (name: string) => ({
    start: () => void log.push(`${name} start`),
    end: () => void log.push(`${name} end`),
    asyncStart: () => {},
    asyncEnd: (message: object) =>
      void log.push(`${name} settled ${(message as CallRecord).error?.code ?? 'ok'}`),
    error: () => void log.push(`${name} error`),
  });
  const names = ['dial', 'call', 'handle'] as const;
  const channels = names.map((name) => {
    const channel = tracingChannel<unknown, object>(`trunkline:${name}`);
    const listeners = subscribers(name);
    channel.subscribe(listeners);
    return { channel, listeners };
  });
  const { channel: handle } = channels[2]!;
  handle.start.bindStore(context, (message) => `span of ${(message as CallRecord).method}`);

  // A transport looks for subscribers once in a tick, so it may miss them for one call.
  await ask();
  log.push('-');
  t.is(await ask(), 'span of echo', 'the handler runs in the context that a subscriber bound');
  t.deepEqual(
    log.filter((line) => line.startsWith('dial')),
    ['dial start', 'dial end', 'dial settled ok'],
  );
  t.deepEqual(
    log.slice(log.indexOf('-')).filter((line) => line.startsWith('call')),
    ['call start', 'call end', 'call settled ok'],
  );
  t.deepEqual(
    log.slice(log.indexOf('-')).filter((line) => line.startsWith('handle')),
    ['handle start', 'handle settled ok', 'handle end'],
  );
  log.length = 0;
  await t.throwsAsync(client.send(to, 'fail', new Uint8Array(1)), { code: 'aborted' });
  t.true(log.includes('call error') && log.includes('handle error'), log.join());

  handle.start.unbindStore(context);
  for (const { channel, listeners } of channels) channel.unsubscribe(listeners);
  await ask();
  log.length = 0;
  t.is(await ask(), 'none');
  t.deepEqual(log, [], 'nobody is told after the last subscriber has left');
});

test.serial('the first call of an idle transport reaches a subscriber', async (t) => {
  const server = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
  t.teardown(() => server.close());
  serve(server, { echo: (request) => request, fail: (request) => request });
  await server.listen();
  const client = createTransport({ protocol, backends: [tcp()] });
  t.teardown(() => client.close());
  const to = server.advertiseAddr();
  await client.send(to, 'echo', new Uint8Array(1));
  await new Promise((resolve) => setImmediate(resolve));
  const methods: string[] = [];
  const start = (message: unknown) => void methods.push((message as CallRecord).method);
  const call = tracingChannel<unknown, object>('trunkline:call');
  call.start.subscribe(start);
  t.teardown(() => call.start.unsubscribe(start));
  await client.send(to, 'echo', new Uint8Array(1));
  t.deepEqual(methods, ['echo']);
});

test.serial('the record of a dial names its target and its peer', async (t) => {
  const server = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
  t.teardown(() => server.close());
  await server.listen();
  const client = createTransport({ protocol, backends: [tcp()] });
  t.teardown(() => client.close());
  const channel = tracingChannel<unknown, object>('trunkline:dial');
  const ended = new Promise<DialRecord>((resolve) => {
    const listener = (record: unknown) => {
      channel.asyncEnd.unsubscribe(listener);
      resolve(record as DialRecord);
    };
    channel.asyncEnd.subscribe(listener);
  });
  await client.dial(server.advertiseAddr());
  const record = await ended;
  t.is(record.target, server.advertiseAddr());
  t.is(record.remote, client.remotes()[0]);
});
