// AsyncLocalStorage: where handlers start, and what they leave behind.

import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { tracingChannel } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { z } from 'zod';
import {
  createTransport,
  type DirectBackend,
  defineProtocol,
  direct,
  inmem,
  json,
  type ServerInterceptor,
  serve,
  tcp,
  ws,
} from './index.ts';

const store = new AsyncLocalStorage<string>();
const none = json(z.null());
const text = json(z.string());
const protocol = defineProtocol({
  name: 'context',
  methods: {
    read: { request: none, response: text },
    later: { request: none, response: text },
    enter: { request: text, response: text },
    items: { request: none, download: text },
    echo: { request: none, upload: text, download: text },
  },
});

const current = () => store.getStore() ?? 'none';
const backends = {
  inmem: ['inmem://server', inmem],
  direct: ['inmem://server', direct],
  tcp: ['tcp://127.0.0.1:0', tcp],
  ws: ['ws://127.0.0.1:0', ws],
} as const;

/** A server that listens, and a function that makes clients of it. */
async function serverOf(kind: keyof typeof backends, interceptors: ServerInterceptor[] = []) {
  const [address, make] = backends[kind];
  const backend = make();
  const options = { protocol, backends: [backend] };
  const server = createTransport(address, { ...options, interceptors: { server: interceptors } });
  await server.listen();
  const open = [server];
  const client = (name: string) => {
    const transport =
      kind === 'direct' ? createTransport(`inmem://${name}`, options) : createTransport(options);
    if (kind === 'direct') (backend as DirectBackend).connectAll();
    open.push(transport);
    return transport.to(server.localAddr());
  };
  const close = () => Promise.all(open.map((transport) => transport.close()));
  return { server, client, close };
}

async function all(items: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Handlers that tell the store that they see, and one that sets it. */
const handlers = {
  read: current,
  async later() {
    await turn();
    return current();
  },
  enter(value: string) {
    const before = current();
    store.enterWith(value);
    return before;
  },
  async *items() {
    yield current();
    await turn();
    yield current();
  },
  async *echo(_: null, rpc: { readonly upload: AsyncIterable<string> }) {
    for await (const _ of rpc.upload) yield current();
  },
};

async function* three() {
  for (const item of ['a', 'b', 'c']) yield item;
}

for (const kind of Object.keys(backends) as (keyof typeof backends)[]) {
  test(`${kind}: handlers start in the context of serve`, async (t) => {
    const { server, client, close } = await serverOf(kind);
    store.run('server', () => serve(server, handlers));
    const to = client('client');
    await store.run('client', async () => {
      for (let call = 0; call < 2; call++) {
        t.is(await to.read(null), 'server');
        t.is(await to.later(null), 'server');
        t.deepEqual(await all(to.items(null)), ['server', 'server']);
        t.deepEqual(await all(to.echo(null, { upload: three() })), Array(3).fill('server'));
        t.is(current(), 'client');
      }
    });
    await close();
  });

  test(`${kind}: a store that a handler enters is not seen by other handlers`, async (t) => {
    const { server, client, close } = await serverOf(kind);
    serve(server, handlers, { concurrency: 1 });
    const [one, two] = [client('one'), client('two')];
    t.is(await one.read(null), 'none');
    const calls = [one.enter('first'), one.enter('second'), one.read(null), two.read(null)];
    t.deepEqual(await Promise.all(calls), ['none', 'none', 'none', 'none']);
    t.is(await one.later(null), 'none');
    t.is(await two.enter('third'), 'none');
    t.deepEqual(await all(two.items(null)), ['none', 'none']);
    t.is(current(), 'none');
    await close();
  });

  test(`${kind}: what an interceptor runs around next holds until the last item`, async (t) => {
    const { server, client, close } = await serverOf(kind);
    const within: ServerInterceptor = (next) => (call) =>
      store.run(`${current()}, ${call.method}`, () => next(call));
    const slow: typeof handlers = {
      ...handlers,
      items: (async () => {
        await turn();
        return handlers.items();
      }) as never,
    };
    store.run('server', () => serve(server, handlers, { interceptors: [within] }));
    const to = client('client');
    t.is(await to.read(null), 'server, read');
    t.is(await to.later(null), 'server, later');
    t.deepEqual(await all(to.items(null)), ['server, items', 'server, items']);
    t.deepEqual(await all(to.echo(null, { upload: three() })), Array(3).fill('server, echo'));
    await close();
    const other = await serverOf(kind);
    serve(other.server, slow, { interceptors: [within] });
    t.deepEqual(await all(other.client('client').items(null)), ['none, items', 'none, items']);
    await other.close();
  });

  test(`${kind}: a reader of calls keeps its context, and its interceptors start there`, async (t) => {
    const seen: string[] = [];
    const see: ServerInterceptor = (next) => (call) => {
      seen.push(current());
      return next(call);
    };
    const { server, client, close } = await serverOf(kind, [see]);
    store.run('reader', async () => {
      for await (const rpc of server.consumer('read')) rpc.respond(current());
    });
    const to = client('client');
    t.is(await to.read(null), 'reader');
    t.is(await to.read(null), 'reader');
    t.deepEqual(seen, ['reader', 'reader']);
    await close();
  });
}

test.serial(
  'tcp: what a tracer binds to a call is active in its handler, and for all items',
  async (t) => {
    const { start } = tracingChannel('trunkline:handle');
    start.bindStore(store, () => 'span');
    t.teardown(() => start.unbindStore(store));
    const { server, client, close } = await serverOf('tcp');
    store.run('server', () => serve(server, handlers));
    const to = client('client');
    t.is(await to.read(null), 'span');
    t.is(await to.later(null), 'span');
    t.deepEqual(await all(to.items(null)), ['span', 'span']);
    await close();
  },
);

test('the first store of a program is not seen by other handlers either', async (t) => {
  const program = fileURLToPath(new URL('./testing/first-store.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  t.is(stdout, 'none none none none none\n');
});
