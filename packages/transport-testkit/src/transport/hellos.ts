// Cases about connections that are not up yet: their identity, their network, and refusals by
// either end.

import { TransportError } from '@trunkline/transport-core';
import { rejected } from './expect.ts';
import type { Fixture } from './fixture.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, textOf, utf8, watch } from './values.ts';

export const helloCases: Cases = (define) => {
  define('each end gets the hello fields of the other', async (f, t) => {
    const { a, b, at } = await f.pair({
      a: { hello: { token: 'from a', 'tenant ö': '' } },
      b: { hello: () => Promise.resolve({ token: 'from b' }) },
    });
    const remote = await a.dial(at);
    t.deepEqual({ ...remote.hello }, { token: 'from b' });
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    t.deepEqual({ ...b.remotes()[0]?.hello }, { token: 'from a', 'tenant ö': '' });
  });

  define(
    'each end has its name in its snapshot, and the other end in that of the connection',
    async (f, t) => {
      const { a, b, at } = await f.pair({
        a: { name: 'a-1', hello: { token: 'from a' } },
        b: { name: 'b-1', hello: () => Promise.resolve({ name: 'its own' }) },
      });
      t.deepEqual({ ...(await a.dial(at)).hello }, { name: 'its own' });
      await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
      t.deepEqual({ ...b.remotes()[0]?.hello }, { name: 'a-1', token: 'from a' });
      t.deepEqual([a.snapshot().name, a.snapshot().connections[0]?.name], ['a-1', 'its own']);
      t.deepEqual([b.snapshot().name, b.snapshot().connections[0]?.name], ['b-1', 'a-1']);
    },
  );

  define('hello fields may be Headers, a Map or pairs', async (f, t) => {
    const { a, b, at } = await f.pair({
      a: { hello: new Map([['token', 'from a']]) },
      b: { hello: () => new Headers({ token: 'from b' }) },
    });
    t.deepEqual({ ...(await a.dial(at)).hello }, { token: 'from b' });
    await f.until('the connection is up at the acceptor', () => b.remotes().length === 1);
    t.deepEqual({ ...b.remotes()[0]?.hello }, { token: 'from a' });
  });

  define(
    'a hello function gets the target when dialing, and undefined when accepting',
    async (f, t) => {
      const asked: unknown[] = [];
      const hello = (end: string) => (target: string | undefined) => {
        asked.push([end, target]);
        return {};
      };
      const { a, at } = await f.pair({ a: { hello: hello('a') }, b: { hello: hello('b') } });
      await a.dial(at);
      t.deepEqual(asked, [
        ['a', at],
        ['b', undefined],
      ]);
    },
  );

  define('a hello function that throws fails only that connection', async (f, t) => {
    let broken = true;
    const { a, b, at } = await f.pair({
      a: {
        hello() {
          if (broken) throw new Error('no token today');
          return {};
        },
      },
    });
    serveKit(b);
    await rejected(t, a.send(at, 'echo', utf8('')), {
      code: 'unavailable',
      sent: false,
      unreachable: false,
      message: /no token today/,
    });
    t.true(
      f
        .seen(a)
        .events.some((event) => event.type === 'callbackFailed' && event.callback === 'hello'),
    );
    broken = false;
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
  });

  define(
    'a peer of another network is refused, and the errors at both ends name both networks',
    async (f, t) => {
      const { a, b, at } = await f.pair({ a: { network: 'blue' }, b: { network: 'green' } });
      const error = await rejected(t, a.send(at, 'echo', utf8('')), {
        code: 'failed_precondition',
        reason: 'wrong_network',
        sent: false,
        unreachable: true,
      });
      t.regex(error.message, /blue/);
      t.regex(error.message, /green/);
      const told = await rejection(f, b);
      t.is(told.reason, 'wrong_network');
      t.deepEqual([a.remotes(), b.remotes()], [[], []]);
      const same = await f.pair({ a: { network: 'blue' }, b: { network: 'blue' } });
      serveKit(same.b);
      t.is(textOf(await same.a.send(same.at, 'echo', utf8('one of us'))), 'one of us');
    },
  );

  define(
    "if the acceptor's admit refuses, both ends get permission_denied/refused",
    async (f, t) => {
      const { a, b, at } = await f.pair({
        b: {
          admit() {
            throw new Error('not on the list');
          },
        },
      });
      serveKit(b);
      await rejected(t, a.send(at, 'echo', utf8('')), {
        code: 'permission_denied',
        reason: 'refused',
        sent: false,
        origin: 'remote',
      });
      const told = await rejection(f, b);
      t.is(told.code, 'permission_denied');
      t.is(told.reason, 'refused');
      t.deepEqual([a.remotes(), b.remotes()], [[], []]);
    },
  );

  define("the dialer's admit can refuse, too", async (f, t) => {
    const { a, b, at } = await f.pair({
      a: {
        admit() {
          throw new Error('not whom I wanted');
        },
      },
    });
    await rejected(t, a.dial(at), {
      code: 'permission_denied',
      reason: 'refused',
      origin: 'local',
    });
    t.is((await rejection(f, b)).reason, 'refused');
    t.deepEqual([a.remotes(), b.remotes()], [[], []]);
  });

  define('a TransportError that admit throws reaches the peer unchanged', async (f, t) => {
    const { a, b, at } = await f.pair({
      b: {
        async admit() {
          throw new TransportError('unauthenticated', 'the token has expired');
        },
      },
    });
    await rejected(t, a.dial(at), {
      code: 'unauthenticated',
      origin: 'remote',
      message: /the token has expired/,
    });
    t.is((await rejection(f, b)).code, 'unauthenticated');
  });

  define(
    'an admit that hangs ends with handshake_timeout, which differs from a refusal',
    async (f, t) => {
      const { a, b, at } = await f.pair({
        a: { handshakeTimeout: 1_000 },
        b: { handshakeTimeout: 800, admit: () => new Promise(() => undefined) },
      });
      const asked = rejected(t, a.dial(at), { code: 'unavailable' });
      await f.until('the connection waits for admit', () => b.snapshot().connections.length === 1);
      await f.turns(5);
      await f.advance(1_100);
      const error = await asked;
      t.not(error.reason, 'refused');
      t.is((await rejection(f, b)).reason, 'handshake_timeout');
      t.deepEqual([a.remotes(), b.remotes()], [[], []]);
    },
  );

  define(
    'calls are served only after admit has agreed, including those that waited',
    async (f, t) => {
      const gate = deferred();
      const { a, b, at } = await f.pair({ b: { admit: () => gate.promise } });
      let served = 0;
      serveKit(b, {
        echo(request) {
          served++;
          return request;
        },
      });
      const call = a.send(at, 'echo', utf8('patient'));
      const state = watch(call);
      await f.turns(10);
      t.is(served, 0);
      t.false(state.settled);
      t.deepEqual([a.remotes(), b.remotes()], [[], []]);
      gate.resolve();
      t.is(textOf(await call), 'patient');
    },
  );

  define('admit can limit connections per address', async (f, t) => {
    const seen = new Set<string>();
    const b = await f.open(kit, {
      admit(remote) {
        const who = remote.addr ?? remote.endpoint;
        if (seen.has(who))
          throw new TransportError('already_exists', `${who} is connected`, {
            reason: 'duplicate',
          });
        seen.add(who);
      },
    });
    const a = await f.open(kit);
    f.link(a, b);
    await a.dial(b.advertiseAddr());
    const other = await f.open(kit);
    f.link(other, b);
    await other.dial(b.advertiseAddr());
    await f.drive(a.closeStreams());
    f.link(a, b);
    await rejected(t, a.dial(b.advertiseAddr()), {
      code: 'already_exists',
      reason: 'duplicate',
      origin: 'remote',
    });
  });

  define(
    'above limits.connections the next one is refused as full, and live ones continue',
    async (f, t) => {
      const b = await f.open(kit, { limits: { connections: 3 } });
      serveKit(b);
      const clients = await Promise.all(Array.from({ length: 4 }, () => f.open(kit)));
      for (const [i, client] of clients.entries()) {
        f.link(client, b);
        if (i < 3) await client.dial(b.advertiseAddr());
      }
      await f.until('three connections are up', () => b.remotes().length === 3);
      const last = clients[3] as (typeof clients)[0];
      await rejected(t, last.send(b.advertiseAddr(), 'echo', utf8('')), {
        code: 'resource_exhausted',
        reason: 'full',
        sent: false,
      });
      for (const client of clients.slice(0, 3))
        t.is(textOf(await client.send(b.advertiseAddr(), 'echo', utf8('fine'))), 'fine');
      await f.drive((clients[0] as (typeof clients)[0]).closeStreams());
      await f.until('one connection has ended', () => b.remotes().length === 2);
      t.is(textOf(await last.send(b.advertiseAddr(), 'echo', utf8('room now'))), 'room now');
    },
  );

  define('a hundred simultaneous dials are all accepted', async (f, t) => {
    const b = await f.open(kit);
    serveKit(b);
    const clients = Array.from({ length: 100 }, () => f.create(kit));
    const answers = await Promise.all(
      clients.map((client, i) => {
        f.link(client, b);
        return client.send(b.advertiseAddr(), 'echo', utf8(String(i)));
      }),
    );
    t.deepEqual(
      answers.map(textOf),
      answers.map((_, i) => String(i)),
    );
    t.is(b.remotes().length, 100);
  });

  define(
    'handshakes that hang delay others only at their limit, and only until their timeout',
    async (f, t) => {
      let hang = true;
      let hanging = 0;
      const admit = () => {
        if (!hang) return undefined;
        hanging++;
        return new Promise<undefined>(() => undefined);
      };
      const { a, b, at } = await f.pair({
        a: { handshakeTimeout: 20_000, timeout: Infinity },
        b: { handshakeTimeout: 1_000, limits: { handshakes: { pending: 2 } }, admit },
      });
      serveKit(b);
      const stuck = await Promise.all([1, 2].map(() => f.open(kit, { handshakeTimeout: 20_000 })));
      const dials = stuck.map((client) => {
        f.link(client, b);
        return client.dial(at).catch((error: TransportError) => error.code);
      });
      await f.until('two handshakes hang', () => hanging === 2);
      hang = false;
      await f.advance(500);
      const call = a.send(at, 'echo', utf8('third'));
      const state = watch(call);
      await f.turns(5);
      t.false(state.settled, 'two are pending, the third waits');
      await f.advance(600);
      t.is(textOf(await call), 'third');
      t.deepEqual(await Promise.all(dials), ['unavailable', 'unavailable']);
    },
  );

  define('a peer that restarted has another instance', async (f, t) => {
    const { a, b, at } = await f.pair();
    const first = (await a.dial(at)).instance;
    await f.drive(a.disconnect(at));
    f.link(a, b);
    t.is((await a.dial(at)).instance, first);
    const other = await f.open(kit);
    f.link(a, other);
    t.not((await a.dial(other.advertiseAddr())).instance, first);
  });
};

/** Returns the error with which a transport rejected a connection before it was up. */
async function rejection(
  f: Fixture,
  transport: Parameters<Fixture['seen']>[0],
): Promise<TransportError> {
  const find = () => f.seen(transport).events.find((event) => event.type === 'rejected');
  await f.until('the observer reports a rejection', () => find() !== undefined);
  const event = find();
  if (event?.type !== 'rejected') throw new Error('unreachable');
  return event.error;
}
