// Cases about the targets of calls: an address is dialed, but a Remote is reached only over its own
// connection.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import { spelled } from '@trunkline/transport-core/internal';
import { rejected } from './expect.ts';
import { createWire } from './faults.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { textOf, utf8, watch } from './values.ts';

export const targetCases: Cases = (define) => {
  define('dial completes the hello, and the Remote identifies the peer', async (f, t) => {
    const { a, b, at } = await f.pair();
    const remote = await a.dial(at);
    t.is(remote.direction, 'out');
    t.false(remote.closed);
    t.is(remote.addr, spelled(b.advertiseAddr()));
    t.regex(remote.instance, /^[0-9a-f]{32}$/);
    t.is(typeof remote.endpoint, 'string');
    if (f.backend.proves === true) t.regex(remote.nodeId ?? '', /^[0-9a-f]{64}$/);
    else t.is(remote.nodeId, undefined);
    t.deepEqual({ ...remote.hello }, {});
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    const [back] = b.remotes();
    t.is(back?.direction, 'in');
    t.is(back?.addr, spelled(a.advertiseAddr()));
    if (f.backend.proves === true) t.not(back?.nodeId, remote.nodeId);
  });

  define('dial uses a live connection if there is one', async (f, t) => {
    const { a, at } = await f.pair();
    const remote = await a.dial(at);
    t.is(await a.dial(at), remote);
    t.is(await a.dial(remote), remote);
    t.deepEqual(a.remotes(), [remote]);
  });

  define('one Remote object represents a connection from up to down', async (f, t) => {
    const admitted: unknown[] = [];
    const { a, b, at } = await f.pair({ b: { admit: (remote) => void admitted.push(remote) } });
    const ups: unknown[] = [];
    const downs: unknown[] = [];
    const watching = (async () => {
      for await (const event of b.connections())
        if (event.type !== 'failed') (event.type === 'up' ? ups : downs).push(event.remote);
    })();
    const from: unknown[] = [];
    serveKit(b, {
      echo(request, rpc) {
        from.push(rpc.from);
        return request;
      },
    });
    await a.send(at, 'echo', utf8(''));
    await a.send(at, 'echo', utf8(''));
    const [remote] = b.remotes();
    await f.drive(a.disconnect(at));
    await f.until('the connection is down', () => downs.length === 1);
    t.true([...admitted, ...ups, ...downs, ...from].every((other) => other === remote));
    t.is(from.length, 2);
    await f.drive(b.close());
    await watching;
  });

  define(
    'a server calls a client that does not listen, over the connection that it made',
    async (f, t) => {
      const server = await f.open(kit);
      const client = f.create(kit);
      f.link(client, server);
      serveKit(client, { echo: () => utf8('from behind a NAT') });
      serveKit(server, { echo: async (_request, rpc) => server.send(rpc.from, 'echo', utf8('')) });
      t.is(
        textOf(await client.send(server.advertiseAddr(), 'echo', utf8(''))),
        'from behind a NAT',
      );
      const [remote] = server.remotes();
      if (remote === undefined) throw new Error('no remote');
      t.is(textOf(await server.to(remote).echo(utf8(''))), 'from behind a NAT');
    },
  );

  define(
    'a call to a Remote that is gone fails with unavailable, and nothing is dialed',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      serveKit(b);
      const remote = await a.dial(at);
      await f.drive(a.disconnect(remote));
      f.link(a, b);
      t.true(remote.closed);
      await rejected(t, a.send(remote, 'echo', utf8('')), { code: 'unavailable', sent: false });
      await rejected(t, a.dial(remote), { code: 'unavailable' });
      t.false(a.trySend(remote, 'note', utf8('')));
      t.deepEqual(a.remotes(), []);
    },
  );

  define('a Remote of another transport is refused', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    await a.dial(at);
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    const [foreign] = b.remotes();
    if (foreign === undefined) throw new Error('no remote');
    const error = await a.send(foreign, 'echo', utf8('')).then(
      () => t.fail('it went out over a connection of another transport'),
      (error: unknown) => error,
    );
    t.true(
      error instanceof TypeError || (error as { code?: string }).code === 'unavailable',
      String(error),
    );
  });

  define('an advertised address attracts no calls for another node', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(a, { echo: () => utf8('a itself') });
    await a.dial(at);
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    t.is(textOf(await b.send(a.advertiseAddr(), 'echo', utf8(''))), 'a itself');
    t.deepEqual(
      b
        .remotes()
        .map((remote) => remote.direction)
        .sort(),
      ['in', 'out'],
      'b dialed, though a connection from a peer of that address was there',
    );
  });

  define(
    'connections yields live connections first, then changes with their causes',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      const first = await a.dial(at);
      const events = a.connections();
      t.deepEqual((await events.next()).value, { type: 'up', remote: first });
      await f.drive(b.close());
      const { value: down } = await events.next();
      t.is(down.type, 'down');
      t.is(down.remote, first);
      await rejected(t, Promise.reject(down.cause), { code: 'unavailable', reason: 'closed' });
      const next = events.next();
      await f.drive(a.close());
      t.is((await next).done, true);
    },
  );

  define(
    'connections reports failed dials and when the next one is due; a refusal ends a hold',
    async (f, t) => {
      let code: ErrorCode | undefined = 'unavailable';
      const admit = () => {
        if (code !== undefined) throw new TransportError(code, `it is ${code}`);
      };
      const { a, at } = await f.pair({ b: { admit } });
      const events = a.connections();
      const failed = async () => {
        const { value } = await f.drive(events.next());
        if (value.type !== 'failed') throw new Error(`${value.type} instead of failed`);
        t.is(value.target, at);
        await rejected(t, Promise.reject(value.error), { code: code!, sent: false });
        return value.retryIn;
      };
      a.hold(at);
      const retryIn = await failed();
      t.true(retryIn! >= 80 && retryIn! <= 120, String(retryIn));
      for (code of ['unauthenticated', 'permission_denied'] as const) {
        t.is(await failed(), undefined);
        await f.advance(60_000, 1_000);
        await rejected(t, a.dial(at), { code });
        t.is(await failed(), undefined, 'nothing was dialed meanwhile');
        a.hold(at);
      }
      t.is(await failed(), undefined);
      a.hold(at, { stopOn: ['aborted'] });
      t.is(typeof (await failed()), 'number');
      code = undefined;
      const { value: up } = await f.drive(events.next());
      t.is(up.type, 'up');
      for (const stopOn of ['aborted', ['abort'], [1], null])
        t.throws(() => a.hold(at, { stopOn: stopOn as never }), { instanceOf: TypeError });
    },
  );

  define("leaving the loop of connections ends it, and no other reader's", async (f, t) => {
    const { a, at } = await f.pair();
    const [one, two] = [a.connections(), a.connections()];
    const waiting = [one.next(), two.next()];
    await one.return?.();
    t.is((await waiting[0])?.done, true);
    const remote = await a.dial(at);
    t.is((await waiting[1])?.value.remote, remote);
  });

  define('both ends notice a cut connection, with one event each', async (f, t) => {
    const wire = createWire();
    const { a, b, at } = await f.pair({ placeA: { wrap: wire.wrap } });
    const remote = await a.dial(at);
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    wire.cut();
    await f.until(
      'the connection is down at both ends',
      () => remote.closed && b.remotes().length === 0,
    );
    for (const end of [a, b]) {
      const downs = f.seen(end).events.filter((event) => event.type === 'down');
      t.is(downs.length, 1);
      t.is(downs[0]?.type === 'down' ? downs[0].cause?.code : undefined, 'unavailable');
    }
  });

  define('the instance of a peer is the same over all its connections', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(a);
    const out = await a.dial(at);
    await b.dial(a.advertiseAddr());
    await f.until('the connections of both directions are up', () => a.remotes().length === 2);
    const incoming = a.remotes().find((remote) => remote.direction === 'in');
    t.is(incoming?.instance, out.instance);
    t.not(incoming?.id, out.id);
  });

  define('an address that no backend understands fails only that call', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b);
    for (const address of ['', ' ', 'no such thing://', '\u0000', 'x'.repeat(10_000)]) {
      const error = await f.drive(
        a.send(address, 'echo', utf8(''), { timeout: 2_000 }).then(
          () => t.fail(`'${address}' was reached`),
          (error: unknown) => error,
        ),
      );
      t.true(
        error instanceof TypeError || (error as { sent?: boolean }).sent === false,
        `'${address.slice(0, 20)}': ${String(error)}`,
      );
    }
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    const state = watch(a.close());
    await f.drive(a.close());
    t.true(state.settled);
  });
};
