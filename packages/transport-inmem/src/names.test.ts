// Tests of the option `resolve`: lists of addresses, resolvers, and names that change while calls
// run.

import { formatSnapshot } from '@trunkline/telemetry';
import {
  bytes,
  type CommonOptions,
  createTransport,
  defineProtocol,
  type ResolvedAddress,
  type Resolver,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { combineResolvers, type ResolutionObserver } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { inmem } from './index.ts';

const protocol = defineProtocol({
  name: 'named',
  methods: {
    who: { id: 1, request: bytes, response: bytes },
    slow: { id: 2, request: bytes, response: bytes },
  },
});
const none = new Uint8Array(0);
const text = (answer: Uint8Array) => new TextDecoder().decode(answer);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A resolver of one scheme whose lists a test sets. */
class TestResolver implements Resolver {
  readonly observers = new Map<string, ResolutionObserver>();
  readonly #scheme: string;
  readonly #first: readonly string[] | undefined;
  readonly #lists = new Map<string, readonly string[]>();

  constructor(scheme: string, first?: readonly string[]) {
    this.#scheme = `${scheme}://`;
    this.#first = first;
  }

  handles(target: string): boolean {
    return target.startsWith(this.#scheme);
  }

  watch(target: string, observer: ResolutionObserver): () => void {
    this.observers.set(target, observer);
    const now = this.#lists.get(target) ?? this.#first;
    if (now !== undefined) queueMicrotask(() => this.list(target, now));
    return () => this.observers.delete(target);
  }

  list(target: string, addresses: readonly string[]): void {
    this.#lists.set(target, addresses);
    this.observers.get(target)?.resolved(addresses.map((address) => ({ address })));
  }
}

/** Servers by name, and a client with this option `resolve`. */
async function fixture(
  t: ExecutionContext,
  names: readonly string[],
  resolve: CommonOptions['resolve'],
) {
  const backends = [inmem()];
  const finishers: (() => void)[] = [];
  const servers = new Map<string, ReturnType<typeof createTransport<typeof protocol>>>();
  for (const name of names) {
    const server = createTransport(`inmem://${name}`, { protocol, backends });
    const answer = new TextEncoder().encode(name);
    serve(server, {
      who: () => answer,
      slow: () => new Promise<Uint8Array>((done) => finishers.push(() => done(answer))),
    });
    await server.listen();
    servers.set(name, server);
  }
  const client = createTransport({ protocol, backends, resolve, random: seededRandom(1) });
  t.teardown(async () => {
    for (const finish of finishers) finish();
    await client.close();
    for (const server of servers.values()) await server.close();
  });
  const who = async (target: string) => text(await client.send(target, 'who', none));
  const failure = async (target: string) =>
    (await t.throwsAsync(client.send(target, 'who', none))) as TransportError;
  return { client, servers, finishers, who, failure };
}

const list = (...names: string[]): ResolvedAddress[] =>
  names.map((name, priority) => ({ address: `inmem://${name}`, priority }));

test('a function may return a list: the addresses are tried by priority until one answers', async (t) => {
  const { who } = await fixture(t, ['a', 'b'], async (target) =>
    target === 'app' ? list('gone', 'a', 'b') : undefined,
  );
  t.is(await who('app'), 'a');
  t.is(await who('inmem://b'), 'b', 'undefined: the target is dialed as it is');
});

test('if no address answers, the error is that of the last one and names all', async (t) => {
  const { failure } = await fixture(t, [], (target) =>
    target === 'many' ? list(...Array.from({ length: 10 }, (_, i) => `x${i}`)) : list('x', 'y'),
  );
  const error = await failure('app');
  t.deepEqual(
    [error.code, error.reason, error.sent, error.target],
    ['unavailable', 'connection_refused', false, 'app'],
  );
  t.regex(
    error.message,
    /^Cannot connect to app: tried inmem:\/\/x, inmem:\/\/y; the last error: /,
  );
  t.regex((await failure('many')).message, /inmem:\/\/x7 and 2 more; /);
});

test('an empty list is no_addresses, and a wrong one names its entry', async (t) => {
  const { failure } = await fixture(t, [], (target) =>
    target === 'empty' ? [] : [{ address: 'inmem://a' }, { address: 'inmem://b', weight: -1 }],
  );
  const empty = await failure('empty');
  t.deepEqual(
    [empty.code, empty.reason, empty.sent, empty.target],
    ['unavailable', 'no_addresses', false, 'empty'],
  );
  const wrong = await failure('wrong');
  t.is(wrong.reason, 'host_not_found');
  t.regex(wrong.message, /\[1\]\.weight: must be a number of at least 0, got -1/);
});

test('a Resolver is asked only for names that it handles', async (t) => {
  const one = new TestResolver('one', ['inmem://a']);
  const two = new TestResolver('two', ['inmem://b']);
  const { who, client } = await fixture(t, ['a', 'b'], combineResolvers(one, two));
  t.is(await who('one://x'), 'a');
  t.is(await who('two://x'), 'b');
  t.is(await who('inmem://b'), 'b');
  t.deepEqual([...one.observers.keys()], ['one://x']);
  t.deepEqual([...two.observers.keys()], ['two://x']);
  const { names } = client.snapshot();
  t.deepEqual(names, [
    { name: 'one://x', addresses: [{ address: 'inmem://a', weight: 1, priority: 0 }] },
    { name: 'two://x', addresses: [{ address: 'inmem://b', weight: 1, priority: 0 }] },
  ]);
  t.regex(formatSnapshot(client.snapshot()), /^one:\/\/x: inmem:\/\/a$/m);
  await client.close();
  t.is(one.observers.size + two.observers.size, 0, 'the watches end with the transport');
});

test('calls wait for the first list; a failure before it fails them', async (t) => {
  const resolver = new TestResolver('app');
  const { who, failure } = await fixture(t, ['a'], resolver);
  const waiting = who('app://x');
  await turn();
  resolver.list('app://x', ['inmem://a']);
  t.is(await waiting, 'a');
  const failing = failure('app://y');
  await turn();
  resolver.observers
    .get('app://y')!
    .failed(new TransportError('unavailable', 'no name server', { reason: 'host_not_found' }));
  const error = await failing;
  t.deepEqual([error.message, error.sent], ['no name server', false]);
  t.is(resolver.observers.has('app://y'), false);
});

test('when the address in use is no longer listed, running calls finish and new ones go elsewhere', async (t) => {
  const resolver = new TestResolver('app', ['inmem://a']);
  const { client, finishers, who } = await fixture(t, ['a', 'b'], resolver);
  t.is(await who('app://x'), 'a');
  const slow = client.send('app://x', 'slow', none);
  while (finishers.length === 0) await turn();
  resolver.list('app://x', ['inmem://b']);
  t.is(await who('app://x'), 'b');
  t.is(client.snapshot().connections.length, 2, 'the old connection waits for its call');
  finishers[0]!();
  t.is(text(await slow), 'a');
  while (client.snapshot().connections.length > 1) await turn();
  t.is(await who('app://x'), 'b');
});

test('a list that still has the address in use changes nothing', async (t) => {
  const resolver = new TestResolver('app', ['inmem://a']);
  const { client, who } = await fixture(t, ['a', 'b'], resolver);
  await who('app://x');
  const [connection] = client.snapshot().connections;
  resolver.list('app://x', ['inmem://b', 'inmem://a']);
  resolver.observers.get('app://x')!.failed(new TransportError('unavailable', 'no name server'));
  t.is(await who('app://x'), 'a');
  t.deepEqual(
    client.snapshot().connections.map(({ id }) => id),
    [connection!.id],
  );
  t.regex(formatSnapshot(client.snapshot()), /inmem:\/\/b, inmem:\/\/a \(no name server\)/);
});

test('a resolver that throws, or reports a wrong list, fails the call and is named', async (t) => {
  const resolver: Resolver = {
    handles: (target) => target.startsWith('app://'),
    watch(target, observer) {
      if (target === 'app://throws') throw new Error('broken');
      queueMicrotask(() => observer.resolved([{ address: '' }]));
      return () => {};
    },
  };
  const { failure } = await fixture(t, [], resolver);
  const thrown = await failure('app://throws');
  t.deepEqual([thrown.code, thrown.reason], ['unavailable', 'host_not_found']);
  t.regex(thrown.message, /the resolver failed for 'app:\/\/throws': broken/);
  t.regex((await failure('app://wrong')).message, /\[0\]\.address: must be an address, got ""/);
});

test('a transport watches at most 1,024 names', async (t) => {
  const resolver = new TestResolver('app');
  const { client, failure } = await fixture(t, [], resolver);
  const releases = Array.from({ length: 1_024 }, (_, i) => client.hold(`app://${i}`));
  const error = await failure('app://one-more');
  t.deepEqual([error.code, error.sent], ['resource_exhausted', false]);
  t.regex(error.message, /watches 1024 names already/);
  for (const release of releases) release();
  t.is(resolver.observers.size, 0);
});

test('a resolver must have the methods of a Resolver', (t) => {
  t.throws(() => createTransport({ protocol, backends: [inmem()], resolve: {} as never }), {
    instanceOf: TypeError,
    message: /resolve: must be a function, or a Resolver with the methods handles and watch/,
  });
});

test('a resolver may report addresses from inside `resolveNow`', async (t) => {
  let observer: ResolutionObserver;
  const node = createTransport({
    protocol,
    backends: [inmem()],
    resolve: {
      handles: (target) => target === 'name:x',
      watch(_, given) {
        observer = given;
        given.failed(new TransportError('unavailable', 'the name server is down'));
        return () => {};
      },
      resolveNow: () => observer.resolved([{ address: 'inmem://nobody' }]),
    },
  });
  const message = 'the name server is down';
  await t.throwsAsync(node.send('name:x', 'who', none), { instanceOf: TransportError, message });
  await node.close();
});
