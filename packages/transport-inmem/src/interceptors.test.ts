// Tests of interceptors: the parts of a call that they see and may change, at both ends.

import {
  bytes,
  type ClientInterceptor,
  createTransport,
  defineProtocol,
  type Handlers,
  type Interceptors,
  type Observer,
  type Rpc,
  type ServerInterceptor,
  TransportError,
} from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { inmem } from './index.ts';
import { pair } from './testing/pair.ts';

const protocol = defineProtocol({
  name: 'echo',
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
    sum: { id: 3, request: bytes, upload: bytes, response: bytes },
    count: { id: 4, request: bytes, download: bytes },
    write: { id: 5, request: bytes, download: bytes },
    respond: { id: 6, request: bytes, response: bytes },
    who: { id: 7, request: bytes, response: bytes },
  },
});
const of = (...numbers: number[]) => new Uint8Array(numbers);
const text = (value: string) => new TextEncoder().encode(value);
const read = (value: Uint8Array) => new TextDecoder().decode(value);

/** Reads the first byte of each item. */
async function all(items: AsyncIterable<Uint8Array>) {
  const seen: number[] = [];
  for await (const item of items) seen.push(item[0]!);
  return seen;
}

async function fixture(t: ExecutionContext, interceptors: Interceptors, told: number[] = []) {
  const clock = createManualClock();
  const handlers: Handlers<typeof protocol> = {
    echo: (request) => request,
    tell: (request) => void told.push(request[0]!),
    sum: async (_, rpc) => {
      let sum = 0;
      for await (const item of rpc.upload) sum += item[0]!;
      return of(sum);
    },
    count: async function* () {
      yield of(1);
      yield of(2);
    },
    write: async (_, rpc) => {
      await rpc.write(of(3));
      await rpc.write(of(4));
    },
    respond: (request, rpc) => {
      if (request[0] === 0) rpc.fail(new TransportError('not_found', 'zero'));
      else rpc.respond(request);
    },
    who: (_, rpc) => text(rpc.metadata['user'] ?? 'nobody'),
  };
  const options = { server: { interceptors }, client: { interceptors, clock } };
  return { ...(await pair(t, protocol, handlers, options)), clock };
}

const pass: ClientInterceptor = (next) => (call) => next(call);
const passOn: ServerInterceptor = (next) => (call) => next(call);

test('interceptors that pass every call on change nothing', async (t) => {
  const told: number[] = [];
  const { client, to } = await fixture(t, { client: [pass, pass], server: [passOn, passOn] }, told);
  t.deepEqual(await client.send(to, 'echo', of(7)), of(7));
  await client.send(to, 'tell', of(8));
  async function* upload() {
    yield of(1);
    yield of(2);
  }
  t.deepEqual(await client.send(to, 'sum', of(), { upload: upload() }), of(3));
  t.deepEqual(await all(await client.send(to, 'count', of())), [1, 2]);
  t.deepEqual(await all(await client.send(to, 'write', of())), [3, 4]);
  t.deepEqual(await client.send(to, 'respond', of(1)), of(1));
  await t.throwsAsync(client.send(to, 'respond', of(0)), { code: 'not_found' });
  t.deepEqual(told, [8]);
});

test('the first interceptor is the outermost; both ends see the call, its deadline and its outcome', async (t) => {
  const log: string[] = [];
  const named =
    (name: string): ClientInterceptor =>
    (next) =>
    (call) => {
      log.push(`${name} ${call.protocol}/${call.method} ${call.kind} to ${String(call.target)}`);
      return next(call).then(
        (result) => {
          log.push(`${name} ok`);
          return result;
        },
        (error) => {
          log.push(`${name} ${error.code}`);
          throw error;
        },
      );
    };
  const deadlines: (number | undefined)[] = [];
  const server: ServerInterceptor = (next) => async (call) => {
    deadlines.push(call.deadline);
    log.push(`server ${call.method} from ${call.from.direction}`);
    try {
      return await next(call);
    } catch (error) {
      log.push(`server failed: ${(error as TransportError).code}`);
      throw error;
    }
  };
  const { client, clock, to } = await fixture(t, {
    client: [
      named('a'),
      named('b'),
      (next) => (call) => {
        deadlines.push(call.deadline);
        return next(call);
      },
    ],
    server: [server],
  });
  await t.throwsAsync(client.send(to, 'respond', of(0), { timeout: 5_000 }), { code: 'not_found' });
  t.deepEqual(log, [
    'a echo/respond unary to inmem://server',
    'b echo/respond unary to inmem://server',
    'server respond from in',
    'server failed: not_found',
    'b not_found',
    'a not_found',
  ]);
  t.is(deadlines[0], clock.now() + 5_000);
  t.is(typeof deadlines[1], 'number');
});

test('metadata, requests and results may be changed at both ends', async (t) => {
  const { client, to } = await fixture(t, {
    client: [
      (next) => (call) => {
        call.metadata = { ...call.metadata, token: 'ada' };
        return next(call);
      },
    ],
    server: [
      (next) => (call) => {
        call.metadata = { ...call.metadata, user: `user ${call.metadata['token']}` };
        return next(call);
      },
      (next) => async (call) => {
        if (call.method !== 'echo') return next(call);
        call.request = of(5);
        return of(...((await next(call)) as Uint8Array), 6);
      },
    ],
  });
  t.is(read(await client.send(to, 'who', of())), 'user ada');
  t.deepEqual(await client.send(to, 'echo', of(1)), of(5, 6));
});

test('each item of a stream can be seen, in both directions and at both ends', async (t) => {
  const seen: string[] = [];
  async function* watched(name: string, items: AsyncIterable<unknown>) {
    for await (const item of items) {
      seen.push(`${name} ${(item as Uint8Array)[0]}`);
      yield item;
    }
  }
  const isStream = (value: unknown): value is AsyncIterable<unknown> =>
    typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
  const watching = (end: string) => (next: (call: any) => unknown) => async (call: any) => {
    if (call.upload !== undefined) call.upload = watched(`${end} up`, call.upload);
    const result = await next(call);
    return isStream(result) ? watched(`${end} down`, result) : result;
  };
  const { client, to } = await fixture(t, {
    client: [watching('client')],
    server: [watching('server')],
  });
  async function* upload() {
    yield of(1);
  }
  t.deepEqual(await client.send(to, 'sum', of(), { upload: upload() }), of(1));
  t.deepEqual(seen.splice(0), ['client up 1', 'server up 1']);
  for (const method of ['count', 'write'] as const) {
    for await (const _ of await client.send(to, method, of()));
    t.deepEqual(seen.filter((line) => line.startsWith('server')).length, 2, method);
    t.deepEqual(seen.splice(0).filter((line) => line.startsWith('client')).length, 2, method);
  }
});

test('a download is iterable at once, whatever its interceptors return', async (t) => {
  const copied: ClientInterceptor = (next) => async (call) => next(call);
  for (const client of [[pass], [copied]]) {
    const { client: caller, to } = await fixture(t, { client });
    t.deepEqual(await all(caller.to(to).count(of())), [1, 2]);
  }
});

test('an interceptor may answer without the handler, refuse a call, or repeat it', async (t) => {
  let attempts = 0;
  const { client, to } = await fixture(t, {
    client: [
      (next) => (call) => (call.method === 'who' ? Promise.resolve(text('a double')) : next(call)),
      (next) => (call) => next(call).catch(() => next(call)),
    ],
    server: [
      (next) => (call) => {
        attempts++;
        if (attempts === 1) throw new TransportError('unavailable', 'once');
        return next(call);
      },
    ],
  });
  t.is(read(await client.send(to, 'who', of())), 'a double');
  t.is(attempts, 0);
  t.deepEqual(await client.send(to, 'echo', of(9)), of(9));
  t.is(attempts, 2);
});

test('an interceptor that throws harms only the call that it saw', async (t) => {
  const { client, to } = await fixture(t, {
    client: [
      (next) => (call) => {
        if (call.method === 'echo') throw new RangeError('a bad interceptor');
        return next(call);
      },
    ],
  });
  await t.throwsAsync(client.send(to, 'echo', of(1)), { instanceOf: RangeError });
  t.is(read(await client.send(to, 'who', of())), 'nobody');
});

test('the time that an interceptor takes counts; one that hangs harms only the call that it saw', async (t) => {
  const slow: ClientInterceptor = (next) => async (call) => {
    await new Promise((resolve) => setTimeout(resolve, 5)); // a later tick
    if (call.method === 'echo') clock.advance(6_000);
    return next(call);
  };
  const { client, clock, to } = await fixture(t, {
    client: [slow],
    server: [(next) => (call) => (call.method === 'respond' ? new Promise(() => {}) : next(call))],
  });
  const { sent } = (await t.throwsAsync<TransportError>(
    client.send(to, 'echo', of(1), { timeout: 5_000 }),
    { code: 'deadline_exceeded' },
  ))!;
  t.is(sent, false);
  t.deepEqual(await client.send(to, 'echo', of(1), { timeout: 7_000 }), of(1));
  const hung = client.send(to, 'respond', of(1), { timeout: 1_000 });
  t.is(read(await client.send(to, 'who', of())), 'nobody');
  clock.advance(1_000);
  await t.throwsAsync(hung, { code: 'deadline_exceeded' });
});

test('a signal that aborts while interceptors work cancels the call before it is sent', async (t) => {
  let controller = new AbortController();
  const told: number[] = [];
  const aborts: ClientInterceptor = (next) => (call) => {
    controller.abort();
    return next(call);
  };
  const { client, to } = await fixture(t, { client: [aborts] }, told);
  async function* upload() {
    yield of(1);
  }
  for (const call of [
    (signal: AbortSignal) => client.send(to, 'tell', of(1), { signal }),
    (signal: AbortSignal) => client.send(to, 'sum', of(1), { signal, upload: upload() }),
    (signal: AbortSignal) => client.send(to, 'count', of(1), { signal, metadata: { a: 'b' } }),
  ]) {
    controller = new AbortController();
    const error = await t.throwsAsync<TransportError>(call(controller.signal), {
      code: 'cancelled',
    });
    t.is(error?.sent, false);
  }
  t.deepEqual(told, []);
});

test('server interceptors work around the reader of consumer()', async (t) => {
  const log: string[] = [];
  const server: ServerInterceptor = (next) => async (call) => {
    await Promise.resolve();
    if (call.metadata['token'] === undefined && call.kind === 'unary')
      throw new TransportError('unauthenticated', 'no token');
    const result = await next(call);
    log.push(call.method);
    return result;
  };
  const {
    client,
    server: transport,
    to,
  } = await pair(t, protocol, undefined, { server: { interceptors: { server: [server] } } });
  const reading = (async () => {
    for await (const rpc of transport.consumer()) {
      if (rpc.method === 'echo') rpc.respond(of(rpc.request[0]! + 1));
      else if (rpc.method === 'count') {
        await rpc.write(of(1));
        rpc.end();
      } else if (rpc.method === 'respond') rpc.fail(new TransportError('aborted', 'no'));
    }
  })();
  const metadata = { token: 'x' };
  await t.throwsAsync(client.send(to, 'echo', of(1)), { code: 'unauthenticated' });
  t.deepEqual(
    await Promise.all([1, 2, 3].map((n) => client.send(to, 'echo', of(n), { metadata }))),
    [of(2), of(3), of(4)],
  );
  await t.throwsAsync(client.send(to, 'respond', of(1), { metadata }), { code: 'aborted' });
  await client.send(to, 'tell', of(1));
  t.deepEqual(await all(await client.send(to, 'count', of(1))), [1]);
  await transport.close();
  await reading;
  t.is(log.filter((method) => method === 'echo').length, 3, 'it sees the outcome of each call');
  t.true(log.includes('tell'));
});

test('a handler that fails after it has answered is reported, and the answer stands', async (t) => {
  const respond: Handlers<typeof protocol>['respond'] = (request, rpc) => {
    rpc.respond(request);
    t.throws(() => rpc.respond(request), { instanceOf: TypeError });
    throw new Error('too late');
  };
  for (const handler of [
    respond,
    async (...args: Parameters<typeof respond>) => respond(...args),
  ]) {
    const failures: unknown[] = [];
    const observer: Observer = {
      event: (event) => void (event.type === 'callbackFailed' && failures.push(event.error)),
    };
    const server = { interceptors: { server: [passOn] }, observer };
    const { client, to } = await pair(t, protocol, { respond: handler }, { server });
    t.deepEqual(await client.send(to, 'respond', of(1)), of(1));
    t.is((failures[0] as Error).message, 'too late');
  }
});

test('a caller that leaves a stream ends the writes of its handler', async (t) => {
  let ended: (error: unknown) => void = () => {};
  const left = new Promise<unknown>((resolve) => (ended = resolve));
  const write: Handlers<typeof protocol>['write'] = async (_, rpc) => {
    try {
      for (;;) await rpc.write(new Uint8Array(10_000));
    } catch (error) {
      ended(error);
    }
  };
  const server = { interceptors: { server: [passOn] } };
  const { client, to } = await pair(t, protocol, { write }, { server });
  for await (const _ of await client.send(to, 'write', of())) break;
  t.is(((await left) as TransportError).code, 'cancelled');
});

test('a handler that does not await its writes is limited by limits.outbound', async (t) => {
  let codes: unknown[] = [];
  const write: Handlers<typeof protocol>['write'] = async (_, rpc) => {
    const writes = [1, 2, 3, 4].map((n) => rpc.write(of(n)).catch(({ code }) => code));
    codes = await Promise.all(writes);
  };
  const limits = { outbound: { messages: 2 } };
  const server = { limits, interceptors: { server: [passOn] } };
  const { client, to } = await pair(t, protocol, { write }, { server });
  t.deepEqual(await all(await client.send(to, 'write', of())), [1, 2]);
  t.deepEqual(codes, [undefined, undefined, 'resource_exhausted', 'resource_exhausted']);
});

test('a handler may reuse the memory of an item whose write has settled', async (t) => {
  const write: Handlers<typeof protocol>['write'] = async (_, rpc) => {
    for (const item = of(1); item[0]! <= 5; item[0]!++) await rpc.write(item);
  };
  const server = { interceptors: { server: [passOn] } };
  const { client, to } = await pair(t, protocol, { write }, { server });
  t.deepEqual(await all(await client.send(to, 'write', of())), [1, 2, 3, 4, 5]);
});

test('interceptors that are no functions are a TypeError', (t) => {
  t.throws(
    () =>
      createTransport({ protocol, backends: [inmem()], interceptors: { client: [1] } as never }),
    { instanceOf: TypeError, message: /interceptors.*: must be / },
  );
});

for (const [title, interceptors] of [
  ['', {}],
  [' behind interceptors', { server: [(next) => (call) => next(call)] }],
] as const satisfies readonly (readonly [string, Interceptors])[]) {
  test(`an answer of a reader${title} counts as late if the caller has gone, and only then`, async (t) => {
    const { client, server, to } = await pair(t, protocol, undefined, { server: { interceptors } });
    const reader = server.consumer('echo');
    const late = () => server.snapshot().counters.lateAnswer ?? 0;
    const read = async () => {
      const caller = new AbortController();
      const call = client.send(to, 'echo', of(1), { signal: caller.signal });
      const { value: rpc } = await reader.next();
      caller.abort();
      await t.throwsAsync(call, { code: 'cancelled' });
      while (!rpc.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1));
      for (let turns = 0; turns < 5; turns++) await new Promise((done) => setImmediate(done));
      return rpc;
    };
    const [responds, fails] = [await read(), await read()];
    t.is(late(), 0, 'nobody has answered yet');
    t.false(responds.respond(of(1)));
    t.is(late(), 1);
    t.false(fails.fail(new Error('too late')));
    t.is(late(), 2);
  });

  test(`a write of a handler${title} that has returned is a TypeError, or rejects if its caller had gone`, async (t) => {
    const rpcs: Rpc<typeof protocol, 'write'>[] = [];
    const handlers: Handlers<typeof protocol> = {
      echo: (request, rpc) => {
        rpcs.push(rpc as never);
        return request;
      },
      count: (_, rpc) => void rpcs.push(rpc as never),
      write: async (request, rpc) => {
        await rpc.write(request);
        rpcs.push(rpc);
        while (request[0] === 4 && !rpc.signal.aborted) await new Promise((r) => setImmediate(r));
      },
    };
    const { client, to } = await pair(t, protocol, handlers, { server: { interceptors } });
    await client.send(to, 'echo', of(1));
    t.deepEqual(await all(await client.send(to, 'count', of(2))), []);
    t.deepEqual(await all(await client.send(to, 'write', of(3))), [3]);
    for await (const _ of await client.send(to, 'write', of(4))) break;
    const left = rpcs.pop()!;
    while (!left.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
    for (let turns = 0; turns < 5; turns++) await new Promise((done) => setImmediate(done));
    await t.throwsAsync(left.write(of(5)), { code: 'cancelled' });
    t.is(rpcs.length, 3);
    for (const rpc of rpcs)
      t.throws(() => void rpc.write(of(5)), { instanceOf: TypeError, message: /^rpc.write: / });
  });
}

test('a call whose caller has gone before it reaches its reader ends for the interceptors', async (t) => {
  let pass = () => {};
  const passed = new Promise<void>((resolve) => (pass = resolve));
  let left: (code: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => (left = resolve));
  const interceptor: ServerInterceptor = (next) => async (call) => {
    const gone = new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    pass();
    await gone;
    return (next(call) as Promise<unknown>).catch(({ code }) => left(code));
  };
  const interceptors = { server: [interceptor] };
  const { client, server, to } = await pair(t, protocol, undefined, { server: { interceptors } });
  const reader = server.consumer('echo');
  const read = reader.next();
  const caller = new AbortController();
  const call = client.send(to, 'echo', of(1), { signal: caller.signal });
  await passed;
  caller.abort();
  await t.throwsAsync(call, { code: 'cancelled' });
  t.is((await read).value.method, 'echo', 'its reader may ignore it');
  t.is(await ended, 'cancelled');
});

test('the error of an interceptor says whether a handler has seen the call', async (t) => {
  const fail = () => {
    throw new TransportError('resource_exhausted', 'busy', { metadata: { a: 'b' } });
  };
  const ways: [name: string, sent: boolean, interceptor: ServerInterceptor][] = [
    ['throws at once', false, () => fail],
    ['rejects later', false, () => () => Promise.resolve().then(fail)],
    [
      'throws after the handler has begun',
      true,
      (next) => (call) => {
        next(call);
        fail();
      },
    ],
    [
      'rejects after the handler',
      true,
      (next) => async (call) => {
        await Promise.resolve();
        await next(call);
        fail();
      },
    ],
  ];
  for (const [name, sent, interceptor] of ways)
    for (const server of [
      [passOn, interceptor],
      [interceptor, passOn],
    ]) {
      const { client, to } = await fixture(t, { server });
      const call = client.send(to, 'echo', of(1));
      const error = await t.throwsAsync<TransportError>(call, undefined, name);
      t.like(error, { code: 'resource_exhausted', message: 'busy', sent }, name);
      t.deepEqual({ ...error.metadata }, { a: 'b' });
      await client.close();
    }
});

test('items that an interceptor does not pass on are returned unread', async (t) => {
  const refusal = new TransportError('aborted', 'not these');
  const ways: Record<string, ServerInterceptor> = {
    'throws at once': (next) => (call) => {
      next(call);
      throw refusal;
    },
    'rejects after the handler': (next) => async (call) => {
      await next(call);
      throw refusal;
    },
    'rejects before the handler': (next) => async (call) => {
      void next(call);
      throw refusal;
    },
    'returns nothing': (next) => async (call) => {
      await next(call);
    },
  };
  for (const [name, interceptor] of Object.entries(ways))
    for (const isLate of [false, true]) {
      let left = 0;
      let reads = 0;
      const items: AsyncIterableIterator<Uint8Array> = {
        [Symbol.asyncIterator]: () => items,
        next: () => {
          reads++;
          return new Promise<never>(() => {});
        },
        return: async () => {
          left++;
          return { value: undefined, done: true };
        },
      };
      const writes: string[] = [];
      const handlers: Handlers<typeof protocol> = {
        count: () => (isLate ? new Promise((resolve) => setImmediate(resolve, items)) : items),
        write: async (_, rpc) => {
          if (isLate) await new Promise((resolve) => setImmediate(resolve));
          await rpc.write(of(1)).catch((error) => writes.push(error.code));
        },
      };
      const serving = { interceptors: [interceptor, passOn] };
      const { client, to } = await pair(t, protocol, handlers, { serving });
      for (const method of ['count', 'write'] as const) {
        const reading = (async () => {
          for await (const _ of client.to(to)[method](of(1)));
        })();
        if (name === 'returns nothing') await reading;
        else await t.throwsAsync(reading, { code: 'aborted' }, name);
      }
      for (let turns = 0; turns < 5; turns++) await new Promise((done) => setImmediate(done));
      t.deepEqual({ left, reads, writes }, { left: 1, reads: 0, writes: ['cancelled'] }, name);
    }
});
