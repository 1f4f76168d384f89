// Tests of createTransport: its addresses, schemes and options.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { bytes } from '../protocol/codec.ts';
import { defineProtocol } from '../protocol/protocol.ts';
import { protocol } from '../session/testing/stamped-calls.ts';
import type { StreamConnection, StreamSink } from '../stream/stream-layer.ts';
import { PREAMBLE } from '../wire/frame.ts';
import { createTransport } from './create-transport.ts';
import type { Backend } from './scheme-layer.ts';
import { fakeLayer } from './testing/fake-layer.ts';

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
  const valid = { protocol, backends: [backend] };
  for (const [message, ...args] of [
    [
      /createTransport: backends: must be a list of at least one/,
      'fake://a:1',
      { protocol, backends: [] },
    ],
    [/backends: is required/, 'fake://a:1', { protocol }],
    [/bindAddr: unknown option/, 'fake://a:1', { ...valid, bindAddr: 'x' }],
    [/expected an object of options/, 'fake://a:1', undefined],
    [/advertiseAddr/, { ...valid, advertiseAddr: 5 }],
  ] as [RegExp, ...unknown[]][])
    t.throws(() => create(...args), { instanceOf: TypeError, message });
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

test('mount refuses a list of protocols that peers would refuse, and mounts nothing', async (t) => {
  const transport = createTransport('fake://a:1', {
    protocol,
    backends: [{ schemes: ['fake'], layer: () => fakeLayer().layer }],
  });
  const another = (channel: number) =>
    defineProtocol({
      name: `p${channel}`,
      version: 1,
      channel,
      methods: { ask: { id: 1, request: bytes } },
    });
  for (let channel = 0x40; channel < 0x40 + 63; channel++) transport.mount(another(channel));
  // A protocol that the first attempt had mounted would be refused as already mounted.
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = t.throws<TransportError>(() => transport.mount(another(0x7f)));
    t.is(error.code, 'invalid_argument');
    t.regex(error.message, /65 protocols; at most 64/);
  }
  await transport.close();
});

test('closeStreams does not wait for a connection that is in its hello', async (t) => {
  const fake = fakeLayer();
  const transport = createTransport('fake://a:1', {
    protocol,
    backends: [{ schemes: ['fake'], layer: () => fake.layer }],
  });
  await transport.listen();
  let closed = () => {};
  fake.state.accept({
    endpoint: 'b:1',
    attach: (sink) => void (closed = () => sink.closed()),
    write: () => true,
    pause: () => {},
    resume: () => {},
    close: () => {},
    destroy: () => {},
  });
  let isDone = false;
  void transport.closeStreams().then(() => (isDone = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.true(isDone);
  closed();
  await transport.close();
});

test('of the refused connections that their peers leave open, the oldest are reset', async (t) => {
  const fake = fakeLayer();
  const transport = createTransport('fake://a:1', {
    protocol,
    backends: [{ schemes: ['fake'], layer: () => fake.layer }],
    limits: { handshakes: { pending: 1 } },
  });
  await transport.listen();
  const closed: number[] = [];
  const destroyed: number[] = [];
  const sinks: StreamSink[] = [];
  for (let number = 0; number < 6; number++)
    fake.state.accept({
      endpoint: `b:${number}`,
      nodeId: undefined,
      refused: new TransportError('permission_denied', 'not on the list'),
      attach(sink) {
        sinks.push(sink);
        sink.data(PREAMBLE);
      },
      write: () => true,
      pause: () => {},
      resume: () => {},
      close: () => void closed.push(number),
      destroy: () => void destroyed.push(number),
    } as StreamConnection);
  t.deepEqual(closed, [0, 1, 2, 3, 4, 5]);
  t.deepEqual(destroyed, [0, 1]);
  for (const sink of sinks) sink.closed();
  await transport.close();
});
