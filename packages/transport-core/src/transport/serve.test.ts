// Tests of `serve`: its handlers, its checks and `stop`.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { createManualClock } from '../manual-clock.ts';
import { bytes } from '../protocol/codec.ts';
import { defineProtocol, methodTable } from '../protocol/protocol.ts';
import type { Inbox } from '../rpc/inbox.ts';
import { Channel } from '../session/channels.ts';
import { type AnswerCarrier, InCall } from '../session/in-call.ts';
import { OutboxFixture } from '../session/testing/outbox-fixture.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';
import { frameOf } from '../wire/testing/frames.ts';
import { NetworkTransport } from './create-transport.ts';
import { INBOX } from './protocol-transport.ts';
import { serve } from './serve.ts';

const protocol = defineProtocol({
  name: 'served',
  version: 1,
  channel: 0x20,
  methods: {
    ask: { id: 1, request: bytes, response: bytes },
    other: { id: 2, request: bytes, response: bytes },
    tell: { id: 3, request: bytes },
  },
});
const stream: StreamLayer = {
  listen: async () => {},
  dial: () => Promise.reject(new TransportError('unavailable', 'nobody')),
  localAddr: () => 'fake:1',
  advertiseAddr: () => 'fake:1',
  close: async () => {},
};

/** Creates a transport, and delivers calls to it without a connection. */
function fixture() {
  const clock = createManualClock();
  const transport = new NetworkTransport({ protocol, stream, clock });
  const answers: string[] = [];
  const carrier: AnswerCarrier = {
    respond: (call, payload) => {
      if (!call.open) return false;
      call.open = false;
      return answers.push(`${call.method.name} = ${[...payload]}`) > 0;
    },
    fail: (call, error) => {
      if (!call.open) return false;
      call.open = false;
      return answers.push(`${call.method.name} ! ${error.code}: ${error.message}`) > 0;
    },
    finish: () => true,
    forget: () => {},
    expires: () => {},
    congested: () => false,
    late: () => {},
    started: () => {},
    finished: () => {},
  };
  const channel = new Channel(
    new OutboxFixture().context,
    { credit: () => {}, holds: () => {} },
    0x20,
  );
  const arrive = (name: keyof typeof protocol.methods, ...payload: number[]) => {
    const method = methodTable(protocol).byName.get(name)!;
    const inbox = (transport as unknown as Record<symbol, Inbox>)[INBOX]!;
    const frame = frameOf({ id: 1 }, new Uint8Array(payload));
    inbox.arrive(new InCall(carrier, frame, channel, method, frame.payload));
  };
  return { transport, clock, answers, arrive };
}

test('`this` of a handler is its object', (t) => {
  const { transport, answers, arrive } = fixture();
  class Service {
    readonly #factor = 3;
    ask = function (this: Service, request: Uint8Array) {
      return new Uint8Array([request[0]! * this.#factor]);
    };
  }
  const service = new Service();
  serve(transport, service as never);
  arrive('ask', 2);
  t.deepEqual(answers, ['ask = 6']);
});

test('an unknown method, a handler that is not a function and an invalid concurrency throw TypeErrors', (t) => {
  const { transport } = fixture();
  const attempt = (handlers: object, options?: object) => () =>
    serve(transport, handlers as never, options as never);
  t.throws(attempt({ aks: () => {} }), {
    instanceOf: TypeError,
    message: /no method 'aks'; it has ask, other, tell/,
  });
  t.throws(attempt({ ask: 5 }), {
    instanceOf: TypeError,
    message: /handler of 'ask' must be a function/,
  });
  for (const concurrency of [0, -1, Number.NaN])
    t.throws(attempt({}, { concurrency }), { instanceOf: TypeError, message: /concurrency/ });
  t.throws(() => serve({} as never, {}), { instanceOf: TypeError });
  t.notThrows(attempt({ ask: undefined }));
});

test('two handlers for one method throw a TypeError, but two halves of a protocol are allowed', (t) => {
  const { transport, answers, arrive } = fixture();
  serve(transport, { ask: (request) => request });
  t.throws(() => serve(transport, { ask: (request) => request }), { instanceOf: TypeError });
  t.throws(() => transport.consumer('ask'), { instanceOf: TypeError });
  serve(transport, { other: (request) => request });
  arrive('other', 4);
  t.deepEqual(answers, ['other = 4']);
});

test('stop waits for running handlers, at most for its grace on the transport’s clock', async (t) => {
  const { transport, clock, answers, arrive } = fixture();
  let finish: ((value: Uint8Array<ArrayBuffer>) => void) | undefined;
  const server = serve(transport, {
    ask: () =>
      new Promise<Uint8Array<ArrayBuffer>>((resolve) => {
        finish = resolve;
      }),
  });
  arrive('ask');
  let stopped = false;
  const stop = server.stop({ grace: 100 }).then(() => {
    stopped = true;
  });
  clock.advance(99);
  t.deepEqual(answers, []);
  clock.advance(1);
  t.regex(answers[0]!, /^ask ! unavailable/);
  t.false(stopped, 'the handler still runs');
  finish!(new Uint8Array(1));
  await stop;
  t.is(answers.length, 1);
  await server.stop();
  t.is(clock.timers, 0);
});

test('a stop that finishes in time leaves no timer', async (t) => {
  const { transport, clock } = fixture();
  await serve(transport, { ask: (request) => request }).stop({ grace: 5_000 });
  t.is(clock.timers, 0);
});

test('serving a closed transport serves nothing, and stops', async (t) => {
  const { transport } = fixture();
  await transport.close();
  const server = serve(transport, { ask: (request) => request });
  await t.notThrowsAsync(server.stop());
  t.is((await transport.consumer().next()).done, true);
});
