// Tests of createTransport: its addresses, schemes and options.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes } from '../protocol/bytes.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';
import type { Backend } from './backend.ts';
import { createTransport } from './create-transport.ts';

const protocol = defineProtocol({
  name: 'opts',
  version: 1,
  channel: 0x20,
  methods: { ask: { id: 1, request: bytes, response: bytes }, tell: { id: 2, request: bytes } },
});

/** Creates a layer that listens, and whose dials end only when they are aborted. */
function fakeLayer() {
  const state = {
    listens: 0,
    closed: 0,
    dials: [] as string[],
    fail: (_error: TransportError) => {},
    broken: undefined as TransportError | undefined,
  };
  const layer: StreamLayer = {
    listen: async (_accept, failed) => {
      state.listens++;
      state.fail = failed!;
      if (state.broken !== undefined) throw state.broken;
    },
    dial: (address, { signal }) => {
      state.dials.push(address);
      return new Promise((_resolve, reject) =>
        signal!.addEventListener('abort', () => reject(signal!.reason)),
      );
    },
    localAddr: () => {
      if (state.listens === 0) throw new TransportError('failed_precondition', 'not yet');
      return 'fake:1';
    },
    advertiseAddr: () => 'fake:1',
    close: async () => void state.closed++,
  };
  return { layer, state };
}

function fakeBackend(schemes: string[] = ['fake']) {
  const made: (string | undefined)[] = [];
  const layers: ReturnType<typeof fakeLayer>[] = [];
  const backend: Backend = {
    schemes,
    layer: ({ bindAddr }) => {
      made.push(bindAddr);
      const fake = fakeLayer();
      layers.push(fake);
      return fake.layer;
    },
  };
  return { backend, made, layers };
}

test('createTransport accepts one address, a list, a text with commas, or none', async (t) => {
  for (const [addresses, expected] of [
    ['fake://a:1', ['fake://a:1']],
    [
      ['fake://a:1', 'fake://b:2'],
      ['fake://a:1', 'fake://b:2'],
    ],
    [' fake://a:1 , fake://b:2 ', ['fake://a:1', 'fake://b:2']],
  ] as [string | string[], string[]][]) {
    const { backend, made } = fakeBackend();
    const transport = createTransport(addresses, { protocol, backends: [backend] });
    t.deepEqual(made, expected);
    await transport.close();
  }
  const { backend, made } = fakeBackend();
  const transport = createTransport({ protocol, backends: [backend] });
  t.deepEqual(made, []);
  t.is(((await t.throwsAsync(transport.listen())) as TransportError).code, 'failed_precondition');
  await transport.close();
});

test('createTransport: an invalid option throws a TypeError that names it', (t) => {
  const { backend } = fakeBackend();
  const create = createTransport as unknown as (...args: unknown[]) => unknown;
  t.throws(() => create('fake://a:1', { protocol, backends: [] }), {
    instanceOf: TypeError,
    message: /createTransport: backends: must be a list of at least one/,
  });
  t.throws(() => create('fake://a:1', { protocol }), {
    instanceOf: TypeError,
    message: /backends: is required/,
  });
  t.throws(() => create('fake://a:1', { protocol, backends: [backend], bindAddr: 'x' }), {
    instanceOf: TypeError,
    message: /bindAddr: unknown option/,
  });
  t.throws(() => create('fake://a:1', undefined), { instanceOf: TypeError });
  t.throws(() => create({ protocol, backends: [backend], advertiseAddr: 5 }), {
    instanceOf: TypeError,
    message: /advertiseAddr/,
  });
});

test('createTransport: an unknown scheme fails with invalid_argument, for listening and for dialing', async (t) => {
  const { backend } = fakeBackend(['fake', 'fakes']);
  t.is(
    (
      t.throws(() =>
        createTransport('quic://a:1', { protocol, backends: [backend] }),
      ) as unknown as TransportError
    ).code,
    'invalid_argument',
  );
  const transport = createTransport({ protocol, backends: [backend] });
  const error = (await t.throwsAsync(
    transport.send('quic://a:1', 'ask', new Uint8Array(0)),
  )) as TransportError;
  t.deepEqual([error.code, error.sent, error.target], ['invalid_argument', false, 'quic://a:1']);
  t.regex(error.message, /fake:\/\/, fakes:\/\//);
  await transport.close();
});

test('createTransport: an advertised list is sent as one text', async (t) => {
  const { backend } = fakeBackend();
  const transport = createTransport('fake://0.0.0.0:1', {
    protocol,
    backends: [backend],
    advertiseAddr: ['fake://node-1:1', 'fake://node-1:2'],
  });
  await transport.listen();
  t.is(transport.advertiseAddr(), 'fake://node-1:1,fake://node-1:2');
  for (const wrong of ['fake://[fe80::1%eth0]:1', 'fake://[fe80::1]/x', 'fake://0.0.0.0:1'])
    t.throws(() => transport.advertise(`fake://node-1:1,${wrong}`), {
      instanceOf: TypeError,
      message: `advertise: cannot advertise ${wrong}: it ${wrong.includes('fe80') ? 'is link-local, and other machines have other interfaces' : 'stands for every address of this machine'}`,
    });
  await transport.close();
});
