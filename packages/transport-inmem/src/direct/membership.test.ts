// Tests of membership hooks over the direct transport.

import {
  type Codec,
  createTransport,
  defineProtocol,
  type Remote,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import {
  type Membership,
  manage,
  type PendingConnection,
} from '@trunkline/transport-core/internal';
import test from 'ava';
import { direct } from './direct.ts';

const text: Codec<string> = {
  name: 'text',
  encode: (value) => new TextEncoder().encode(value),
  decode: (given) => new TextDecoder().decode(given),
};
const echo = defineProtocol({
  name: 'echo',
  methods: {
    say: { id: 1, request: text, response: text },
    hint: { id: 2, request: text },
  },
});

/** Admits every peer under the id that it claims, except the ids in `refused`. */
class Register implements Membership {
  readonly nodeId: string;
  readonly refused = new Set<string>();
  readonly heard: string[] = [];
  readonly asked: string[] = [];
  isClosed = false;
  readonly #claims = new Map<Remote, string>();
  readonly #live = new Map<string, Remote[]>();
  readonly #addresses: Map<string, string>;
  readonly #transport: Transport<any>;

  constructor(transport: Transport<any>, nodeId: string, addresses: Map<string, string>) {
    this.#transport = transport;
    this.nodeId = nodeId;
    this.#addresses = addresses;
  }

  admit({ remote, claim, target }: PendingConnection) {
    this.asked.push(`${claim.slice(0, 2)} ${target ?? 'in'}`);
    if (this.refused.has(claim)) throw reasonError('denied', `node ${claim} is not wanted`);
    this.#claims.set(remote, claim);
  }

  up(remote: Remote) {
    const claim = this.#claims.get(remote) ?? '';
    this.heard.push(`up ${claim.slice(0, 2)}`);
    this.#live.set(claim, [...(this.#live.get(claim) ?? []), remote]);
  }

  down(remote: Remote, cause: TransportError) {
    const claim = this.#claims.get(remote) ?? '';
    this.heard.push(`down ${claim.slice(0, 2)} ${cause.reason}`);
    this.#live.set(
      claim,
      (this.#live.get(claim) ?? []).filter((other) => other !== remote),
    );
  }

  links(nodeId: string) {
    return this.#live.get(nodeId) ?? [];
  }

  async reach(nodeId: string) {
    const address = this.#addresses.get(nodeId);
    if (address === undefined)
      throw new TransportError('unavailable', 'nobody knows where it is', { sent: false });
    return this.#transport.dial(address);
  }

  closed() {
    this.isClosed = true;
  }
}

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

function pair() {
  const addresses = new Map<string, string>();
  const net = direct();
  net.connectAll();
  const make = (address: string, nodeId: string) => {
    const transport = createTransport(address, { protocol: echo, backends: [net] });
    addresses.set(nodeId, address);
    const register = new Register(transport, nodeId, addresses);
    return { transport, register };
  };
  const a = make('inmem://a', A);
  const b = make('inmem://b', B);
  return { a, b, close: () => Promise.all([a.transport.close(), b.transport.close()]) };
}

async function serving(transport: Transport<typeof echo>) {
  await transport.listen();
  void (async () => {
    for await (const rpc of transport.consumer())
      if (rpc.method === 'say') rpc.respond(rpc.request.toUpperCase());
  })();
}

test('a target node:<id> is dialed through the membership, and then both ends reach each other over its link', async (t) => {
  const { a, b, close } = pair();
  manage(a.transport, a.register);
  manage(b.transport, b.register);
  await serving(a.transport);
  await serving(b.transport);
  t.is(await a.transport.send(`node:${B}`, 'say', 'hello'), 'HELLO');
  t.is(await b.transport.send(`node:${A}`, 'say', 'back'), 'BACK');
  t.true(b.transport.trySend(`node:${A}`, 'hint', 'x'));
  t.is(b.transport.remotes().length, 1, 'both over the one connection');
  t.is((await a.transport.dial(`node:${B}`)).id, a.transport.remotes()[0]!.id);
  t.deepEqual([a.register.asked, b.register.asked], [['bb inmem://b'], ['aa in']]);
  await a.transport.disconnect(`node:${B}`);
  t.deepEqual(a.register.heard, ['up bb', 'down bb disconnected']);
  t.false(a.transport.trySend(`node:${B}`, 'hint', 'x'));
  t.is(await a.transport.send(`node:${B}`, 'say', 'again'), 'AGAIN', 'a later send dials again');
  await close();
  t.true(a.register.isClosed);
});

test('without a membership a node id cannot be reached, and the error says so; node:7000 is an address', async (t) => {
  const { a, close } = pair();
  const error = await t.throwsAsync(a.transport.send(`node:${B}`, 'say', 'x'), {
    instanceOf: TransportError,
    code: 'failed_precondition',
  });
  t.regex(error?.message ?? '', /createPeers/);
  t.false((error as TransportError).sent);
  await t.throwsAsync(a.transport.send('node:7000', 'say', 'x'), {
    instanceOf: TransportError,
    code: 'invalid_argument',
  });
  await close();
});

test('a call to an unknown node fails with unavailable, and the error has its target', async (t) => {
  const { a, close } = pair();
  manage(a.transport, a.register);
  const target = `node:${'c'.repeat(64)}`;
  const error = (await t.throwsAsync(a.transport.send(target, 'say', 'x'), {
    instanceOf: TransportError,
    code: 'unavailable',
  })) as TransportError;
  t.deepEqual([error.target, error.sent], [target, false]);
  await close();
});

test('a node that the membership refuses gets the reason, at both ends, and is down without having been up', async (t) => {
  const { a, b, close } = pair();
  manage(a.transport, a.register);
  manage(b.transport, b.register);
  await serving(b.transport);
  b.register.refused.add(A);
  const error = (await t.throwsAsync(a.transport.dial('inmem://b'), {
    instanceOf: TransportError,
    code: 'permission_denied',
  })) as TransportError;
  t.is(error.reason, 'denied');
  t.deepEqual(b.register.heard, ['down  denied']);
  t.deepEqual(a.register.heard, [], 'its end was never asked: the hello was not answered');
  await close();
});

test('a link that a newer one replaces is retired after its calls have ended', async (t) => {
  const { a, b, close } = pair();
  const management = manage(a.transport, a.register);
  manage(b.transport, b.register);
  await b.transport.listen();
  const calls = b.transport.consumer();
  const comings = a.transport.connections();
  const remote = await a.transport.dial('inmem://b');
  const answer = a.transport.send(remote, 'say', 'late');
  const { value: rpc } = await calls.next();
  management.retire(remote, 'two links are one too many');
  t.false(management.isUp(remote));
  await t.throwsAsync(a.transport.send(remote, 'say', 'new'), { code: 'unavailable' });
  t.false(remote.closed);
  rpc.respond('in time');
  t.is(await answer, 'in time');
  for await (const event of comings) {
    if (event.type !== 'down') continue;
    t.is(event.cause?.reason, 'duplicate');
    break;
  }
  await close();
});

test('connections older than a membership are closed in order; a second membership is refused', async (t) => {
  const { a, b, close } = pair();
  await serving(b.transport);
  t.is(await a.transport.send('inmem://b', 'say', 'x'), 'X');
  const [remote] = a.transport.remotes();
  const management = manage(a.transport, a.register);
  t.throws(() => manage(a.transport, a.register), {
    instanceOf: TypeError,
    message: /already has peers/,
  });
  t.is(await a.transport.send('inmem://b', 'say', 'y'), 'Y');
  t.not(a.transport.remotes()[0], remote);
  management.release();
  manage(a.transport, a.register).release();
  t.throws(() => manage({} as never, a.register), { instanceOf: TypeError });
  await close();
});

test('a membership that was released is not asked to admit a peer whose hello it had seen', async (t) => {
  const net = direct();
  net.connectAll();
  const server = createTransport('inmem://b', { protocol: echo, backends: [net] });
  await serving(server);
  let agree = () => {};
  const gate = new Promise<void>((resolve) => (agree = resolve));
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const admit = () => {
    asked();
    return gate;
  };
  const client = createTransport({ protocol: echo, backends: [net], admit });
  const register = new Register(client, A, new Map());
  const management = manage(client, register);
  const answer = client.send('inmem://b', 'say', 'x');
  await isAsked;
  management.release();
  agree();
  t.is(await answer, 'X');
  t.deepEqual([register.asked, register.heard], [[], []]);
  await client.close();
  await server.close();
});

test('an observer may cut a connection that comes up, and the next call dials again', async (t) => {
  const backend = direct();
  const server = createTransport('inmem://cut-while-up', { protocol: echo, backends: [backend] });
  serve(server, { say: (text) => text, hint: () => {} });
  await server.listen();
  const cause = reasonError('duplicate', 'one of two');
  let cuts = 1;
  const client = createTransport({
    protocol: echo,
    backends: [backend],
    observer: {
      event(event) {
        if (event.type === 'up' && cuts-- > 0) management.cut(event.remote, cause);
      },
    },
  });
  const management = manage(client, new Register(client, 'ab'.repeat(32), new Map()));
  backend.connectAll();
  await t.throwsAsync(client.send('inmem://cut-while-up', 'say', '1'), { message: /was lost/ });
  t.is(await client.send('inmem://cut-while-up', 'say', '2'), '2');
  await client.close();
  await server.close();
});

test('an observer may retire a connection that comes up: it serves the calls that waited, and later ones use another', async (t) => {
  const backend = direct();
  const server = createTransport('inmem://retired-while-up', {
    protocol: echo,
    backends: [backend],
    limits: { calls: 1 },
  });
  let answer = () => {};
  const gate = new Promise<void>((resolve) => (answer = resolve));
  serve(server, {
    say: async (text) => {
      if (text === 'slow') await gate;
      return text;
    },
    hint: () => {},
  });
  await server.listen();
  let retired = 1;
  const client = createTransport({
    protocol: echo,
    backends: [backend],
    observer: {
      event(event) {
        if (event.type === 'up' && retired-- > 0) management.retire(event.remote, 'one of two');
      },
    },
  });
  const management = manage(client, new Register(client, 'ab'.repeat(32), new Map()));
  backend.connectAll();
  const slow = client.send('inmem://retired-while-up', 'say', 'slow');
  const next = client.send('inmem://retired-while-up', 'say', 'next');
  await client.dial('inmem://retired-while-up');
  t.is(await client.send('inmem://retired-while-up', 'say', 'quick'), 'quick');
  t.is(await next, 'next');
  t.is(client.remotes().length, 1, 'the retired connection is not among them');
  answer();
  t.is(await slow, 'slow');
  await client.close();
  await server.close();
});
