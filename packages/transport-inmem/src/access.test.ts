// Tests of `allow`: which calls a peer may make.

import {
  type AllowCall,
  bytes,
  createTransport,
  defineProtocol,
  type Observer,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import ava, { type ExecutionContext } from 'ava';
import { inmem } from './index.ts';

const test = ava.serial;
let decoded = 0;
const counted = {
  name: 'counted',
  encode: (value: Uint8Array) => value,
  decode: (payload: Uint8Array) => {
    decoded++;
    return payload;
  },
};
const protocol = defineProtocol({
  name: 'guarded',
  methods: {
    read: { id: 1, request: counted, response: bytes },
    write: { id: 2, request: bytes, response: bytes },
    tell: { id: 3, request: bytes },
    watch: { id: 4, request: bytes, download: bytes },
  },
});
const of = (...numbers: number[]) => new Uint8Array(numbers);

async function fixture(
  t: ExecutionContext,
  allow: AllowCall | undefined,
  { observer, mountAllow }: { observer?: Observer; mountAllow?: AllowCall } = {},
) {
  const backends = [inmem()];
  const root = defineProtocol({ name: 'root', channel: 0x30, methods: {} });
  const server = createTransport('inmem://server', { protocol: root, backends, observer });
  const mount = server.mount(protocol, { allow: mountAllow });
  const handled: string[] = [];
  const handle = (method: string) => (request: Uint8Array) => {
    handled.push(method);
    return request;
  };
  serve(
    mount,
    {
      read: handle('read'),
      write: handle('write'),
      tell: handle('tell'),
      watch: async function* () {
        yield of(1);
      },
    },
    { allow },
  );
  await server.listen();
  const client = createTransport({ protocol, backends });
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  return { client, server, handled, to: 'inmem://server' };
}

test('a call that is not allowed is refused before its request is decoded', async (t) => {
  const { client, handled, to } = await fixture(t, (_, method) => method !== 'read');
  decoded = 0;
  const error = await t.throwsAsync<TransportError>(client.send(to, 'read', of(1)), {
    code: 'permission_denied',
  });
  t.is(error!.reason, 'denied');
  t.is(error!.sent, false);
  t.is(error!.origin, 'remote');
  t.is(decoded, 0);
  t.deepEqual(await client.send(to, 'write', of(2)), of(2));
  t.deepEqual(handled, ['write']);
});

test('the rule sees the peer and the metadata, and may answer with a promise', async (t) => {
  const { client, to } = await fixture(t, async (remote, _, metadata) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return remote.direction === 'in' && metadata['token'] === 'good';
  });
  const metadata = { token: 'good' };
  t.deepEqual(await client.send(to, 'read', of(3), { metadata }), of(3));
  const items = await client.send(to, 'watch', of(3), { metadata });
  for await (const item of items) t.deepEqual(item, of(1));
  await t.throwsAsync(client.send(to, 'read', of(3)), { code: 'permission_denied' });
  const all = [1, 2, 3, 4].map((n) => client.send(to, 'write', of(n), { metadata }));
  t.deepEqual(await Promise.all(all), [of(1), of(2), of(3), of(4)]);
});

test('a one-way that is not allowed is dropped and counted', async (t) => {
  for (const allow of [() => false, () => Promise.resolve(false)]) {
    const { client, server, handled, to } = await fixture(t, allow);
    await client.send(to, 'tell', of(1));
    while (server.snapshot().counters.onewayDropped !== 1)
      await new Promise((resolve) => setTimeout(resolve, 1));
    t.deepEqual(handled, []);
    await server.close();
    await client.close();
  }
});

test('a rule of the mount and one of the server must both allow a call', async (t) => {
  const asked: string[] = [];
  const { client, to } = await fixture(
    t,
    (_, method) => {
      asked.push(`server ${method}`);
      return method !== 'write';
    },
    {
      mountAllow: (_, method) => {
        asked.push(`mount ${method}`);
        return method !== 'read';
      },
    },
  );
  await t.throwsAsync(client.send(to, 'read', of(1)), { code: 'permission_denied' });
  await t.throwsAsync(client.send(to, 'write', of(1)), { code: 'permission_denied' });
  t.deepEqual(asked, ['mount read', 'mount write', 'server write']);
});

test('a rule that throws denies the call: a TransportError reaches the caller', async (t) => {
  const failed: string[] = [];
  const observer: Observer = {
    event: (event) => void (event.type === 'callbackFailed' && failed.push(event.callback)),
  };
  const { client, to } = await fixture(
    t,
    (_, method) => {
      if (method === 'read') throw new TransportError('unauthenticated', 'the token has expired');
      throw new Error('the database is down');
    },
    { observer },
  );
  await t.throwsAsync(client.send(to, 'read', of(1)), { code: 'unauthenticated' });
  await t.throwsAsync(client.send(to, 'write', of(1)), {
    code: 'permission_denied',
    message: "'guarded/write': this peer may not call it",
  });
  t.deepEqual(failed, ['allow']);
});

test('a rule that hangs harms only the call that it was asked about', async (t) => {
  const { client, server, handled, to } = await fixture(t, (_, method) =>
    method === 'read' ? new Promise<boolean>(() => {}) : true,
  );
  const hung = client.send(to, 'read', of(1), { timeout: 50 });
  t.deepEqual(await client.send(to, 'write', of(1)), of(1));
  await t.throwsAsync(hung, { code: 'deadline_exceeded' });
  t.deepEqual(handled, ['write']);
  t.is(server.snapshot().memory, 0);
});

test('an observer sees a denied call', async (t) => {
  for (const allow of [() => false, () => Promise.resolve(false)]) {
    const seen: unknown[] = [];
    const observer: Observer = {
      handlerEnded: ({ reason, bytesReceived }) => void seen.push(reason, bytesReceived),
    };
    const { client, server, to } = await fixture(t, allow, { observer });
    await t.throwsAsync(client.send(to, 'read', of(1, 2)), { code: 'permission_denied' });
    t.deepEqual(seen, ['denied', 2]);
    await server.close();
    await client.close();
  }
});

test('a rule that is no function is a TypeError', (t) => {
  const root = defineProtocol({ name: 'root', channel: 0x30, methods: {} });
  const transport = createTransport({ protocol: root, backends: [inmem()] });
  const expected = { instanceOf: TypeError, message: /allow: must be a function, got true/ };
  t.throws(() => transport.mount(protocol, { allow: true as never }), expected);
  t.throws(() => serve(transport, {}, { allow: true as never }), expected);
  return transport.close();
});
