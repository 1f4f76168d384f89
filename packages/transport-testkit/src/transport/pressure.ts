// Cases about limits: every queue and every rate has a limit, with a documented reaction when the
// limit is reached.

import type { CommonOptions } from '@trunkline/transport-core';
import { rejected } from './expect.ts';
import { createWire } from './faults.ts';
import { kit } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, equalBytes, pattern, textOf, utf8, watch } from './values.ts';

export const pressureCases: Cases = (define) => {
  define(
    'a message of exactly the limit is accepted, and one with a byte more is refused before it is sent',
    async (f, t) => {
      const limits = { message: 100_000 };
      const { a, b, at } = await f.pair({ a: { limits }, b: { limits } });
      serveKit(b);
      t.true(equalBytes(await a.send(at, 'echo', pattern(100_000)), pattern(100_000)));
      const refused = {
        code: 'resource_exhausted',
        sent: false,
        origin: 'local',
        message: /100,?001/,
      } as const;
      await rejected(t, a.send(at, 'echo', pattern(100_001)), refused);
      await rejected(t, a.send(at, 'note', pattern(100_001)), refused);
      t.is(a.remotes().length, 1);
    },
  );

  define('the limits of the peer apply, and are learned in the hello', async (f, t) => {
    const { a, b, at } = await f.pair({ b: { limits: { message: 70_000 } } });
    serveKit(b);
    t.is((await a.send(at, 'echo', pattern(70_000))).length, 70_000);
    await rejected(t, a.send(at, 'echo', pattern(70_001)), {
      code: 'resource_exhausted',
      sent: false,
    });
  });

  define("an answer above the caller's limit fails that call, and no other", async (f, t) => {
    const { a, b, at } = await f.pair({ a: { limits: { message: 70_000 } } });
    serveKit(b, { brisk: () => pattern(70_001) });
    await rejected(t, a.send(at, 'brisk', utf8('')), { code: 'resource_exhausted', sent: true });
    t.is(textOf(await a.send(at, 'echo', utf8('on'))), 'on');
    t.is(a.remotes().length, 1);
  });

  define('with different packet limits both ends use the smaller one', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { limits: { packet: 4_096 } } });
    serveKit(b);
    for (const size of [4_095, 4_096, 4_097, 100_000])
      t.true(equalBytes(await a.send(at, 'echo', pattern(size)), pattern(size)));
  });

  define('a full inbound queue refuses further calls, and disconnects nobody', async (f, t) => {
    const { a, b, at } = await f.pair({
      b: { limits: { inbound: { calls: 10, bytes: 1_000_000 } } },
    });
    const consumer = b.consumer('echo');
    const remote = await a.dial(at);
    const calls = Array.from({ length: 30 }, (_, i) => a.send(at, 'echo', utf8(`${i}`)));
    const refused = await Promise.all(
      calls
        .slice(10)
        .map((call) =>
          rejected(t, call, { code: 'resource_exhausted', sent: false, origin: 'remote' }),
        ),
    );
    t.is(refused.length, 20);
    for (let i = 0; i < 10; i++) {
      const { value: rpc } = await consumer.next();
      rpc.respond(rpc.request);
    }
    const answers = await Promise.all(calls.slice(0, 10));
    t.deepEqual(
      answers.map(textOf),
      Array.from({ length: 10 }, (_, i) => `${i}`),
    );
    t.false(remote.closed);
    t.is(f.count(b, 'refusedCall'), 20);
  });

  define('the inbound queue is limited by bytes, too; one message always fits', async (f, t) => {
    const { a, b, at } = await f.pair({
      b: { limits: { inbound: { calls: 1_000, bytes: 50_000 } } },
    });
    const consumer = b.consumer('echo');
    const calls = Array.from({ length: 4 }, () => a.send(at, 'echo', pattern(60_000)));
    for (const call of calls.slice(1))
      await rejected(t, call, { code: 'resource_exhausted', sent: false });
    const { value: rpc } = await consumer.next();
    rpc.respond(utf8('it fits'));
    t.is(textOf(await (calls[0] as Promise<Uint8Array>)), 'it fits');
  });

  for (const most of [1, 2, 10]) {
    define(
      `with ${most} calls allowed, the next waits in line until one is answered`,
      async (f, t) => {
        const { a, b, at } = await f.pair({ a: { limits: { calls: most } } });
        const consumer = b.consumer('echo');
        const calls = Array.from({ length: most + 2 }, (_, i) => a.send(at, 'echo', utf8(`${i}`)));
        const next = async () => (await consumer.next()).value;
        const open = [];
        for (let i = 0; i < most; i++) open.push(await next());
        const waiting = consumer.next();
        const state = watch(waiting);
        await f.turns(5);
        t.false(state.settled, 'one more than allowed went out');
        open[0]?.respond(utf8('first'));
        const following = (await waiting).value;
        t.is(textOf(following.request), `${most}`, 'the one that waited longest goes first');
        following.respond(utf8(''));
        (await next()).respond(utf8(''));
        for (const rpc of open.slice(1)) rpc.respond(utf8(''));
        await Promise.all(calls);
      },
    );
  }

  define('a call that waits for a free place ends at its deadline, never sent', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { limits: { calls: 1 } } });
    const consumer = b.consumer('echo');
    const first = a.send(at, 'echo', utf8(''), { timeout: Infinity });
    const { value: rpc } = await consumer.next();
    const second = a.send(at, 'echo', utf8(''), { timeout: 300 });
    await f.turns();
    f.clock.advance(301);
    await rejected(t, second, { code: 'deadline_exceeded', sent: false });
    rpc.respond(utf8('done'));
    t.is(textOf(await first), 'done');
  });

  define(
    'messages that wait for a peer that reads nothing are limited, and end at their deadline',
    async (f, t) => {
      const wire = createWire();
      const { a, b, at } = await f.pair({ placeB: { wrap: wire.wrap } });
      serveKit(b);
      await a.dial(at);
      wire.freeze();
      let settled = 0;
      const calls = Array.from({ length: 100 }, () =>
        a.send(at, 'note', pattern(1_000_000), { timeout: 2_000 }).finally(() => settled++),
      );
      await f.turns(20);
      const [connection] = a.snapshot().connections;
      // `limits.outbound.bytes`, 16 MiB by default, plus one message.
      t.true(
        (connection?.outbound.bytes ?? 0) <= 18_000_000,
        `${connection?.outbound.bytes} bytes wait`,
      );
      t.true(settled < 50, `${settled} of 100 MB were taken`);
      f.clock.advance(2_001);
      const results = await Promise.allSettled(calls);
      for (const result of results)
        if (result.status === 'rejected') t.is(result.reason.code, 'deadline_exceeded');
      t.true(results.some((result) => result.status === 'rejected'));
      wire.thaw();
      t.is(textOf(await a.send(at, 'echo', utf8('awake'))), 'awake');
    },
  );

  define('one slow peer among many delays no other', async (f, t) => {
    const wire = createWire();
    const a = await f.open(kit);
    const slow = await f.open(kit, {}, { wrap: wire.wrap });
    const others = await Promise.all(Array.from({ length: 10 }, () => f.open(kit)));
    for (const other of [slow, ...others]) {
      f.link(a, other);
      serveKit(other);
      await a.dial(other.advertiseAddr());
    }
    wire.freeze();
    const stuck = [1, 2, 3].map(() =>
      a.send(slow.advertiseAddr(), 'echo', pattern(2_000_000), { timeout: 5_000 }),
    );
    for (const other of others)
      t.is(textOf(await a.send(other.advertiseAddr(), 'echo', utf8('quick'))), 'quick');
    f.clock.advance(5_001);
    for (const call of stuck) await rejected(t, call, { code: 'deadline_exceeded' });
    wire.thaw();
  });

  // docs/wire-protocol.md §7
  define('two ends that fill each other with calls both get through', async (f, t) => {
    const { a, b, at } = await f.pair({ a: { timeout: Infinity }, b: { timeout: Infinity } });
    serveKit(a);
    serveKit(b);
    const back = a.advertiseAddr();
    const calls = Array.from({ length: 40 }, () => [
      a.send(at, 'echo', pattern(400_000)),
      b.send(back, 'echo', pattern(400_000)),
    ]).flat();
    const answers = await Promise.all(calls);
    t.true(answers.every((answer) => answer.length === 400_000));
  });

  define(
    'the memory of incomplete and unread messages is limited: long requests above the limit are refused',
    async (f, t) => {
      const limits = { memory: 3_000_000 };
      const { a, b, at } = await f.pair({ b: { limits } });
      const consumer = b.consumer('echo');
      const calls = Array.from({ length: 8 }, () =>
        a.send(at, 'echo', pattern(1_000_000), { timeout: Infinity }),
      );
      const outcomes = calls.map((call) =>
        call.then(
          () => 'answered',
          (error: { code: string }) => error.code,
        ),
      );
      await f.until(
        'some calls are refused',
        () => f.count(b, 'refusedCall') > 0 || (a.snapshot().errors.resource_exhausted ?? 0) > 0,
      );
      t.true(b.snapshot().memory <= 1.25 * limits.memory, `${b.snapshot().memory} bytes`);
      void (async () => {
        for await (const rpc of consumer) rpc.respond(utf8(''));
      })();
      const codes = await Promise.all(outcomes);
      t.true(codes.includes('answered') && codes.includes('resource_exhausted'), codes.join(' '));
      t.true(
        codes.every((code) => code === 'answered' || code === 'resource_exhausted'),
        codes.join(' '),
      );
    },
  );

  define('metadata of 8 KiB is sent, and more is refused before it is sent', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b, { echo: (_request, rpc) => utf8(String(rpc.metadata['k']?.length)) });
    t.is(
      textOf(await a.send(at, 'echo', utf8(''), { metadata: { k: 'x'.repeat(8_191) } })),
      '8191',
    );
    const error = await a.send(at, 'echo', utf8(''), { metadata: { k: 'x'.repeat(8_192) } }).then(
      () => t.fail('more than 8 KiB of metadata were taken'),
      (error: unknown) => error,
    );
    t.true(
      error instanceof TypeError || (error as { sent?: boolean }).sent === false,
      String(error),
    );
  });

  define('a handler that is given no metadata gets one shared frozen object', async (f, t) => {
    const { a, b, at } = await f.pair();
    const got: unknown[] = [];
    serveKit(b, {
      echo(request, rpc) {
        got.push(rpc.metadata);
        return request;
      },
    });
    await a.send(at, 'echo', utf8(''));
    await a.send(at, 'echo', utf8(''), { metadata: {} });
    t.is(got[0], got[1]);
    t.true(Object.isFrozen(got[0]));
    await a.send(at, 'echo', utf8(''), { metadata: { trace: 'abc', 'tenant ö': '' } });
    t.deepEqual({ ...(got[2] as object) }, { trace: 'abc', 'tenant ö': '' });
  });

  // A token bucket limits each direction; no peer is considered dead while a bucket holds data
  // back.
  for (const [direction, end] of [
    ['send', 'a'],
    ['receive', 'b'],
  ] as const) {
    define(
      `limits.rate.${direction} bounds the bytes of a second, and the connection lives on`,
      async (f, t) => {
        const options: CommonOptions = {
          limits: { rate: { [direction]: 100_000 } },
          timeout: Infinity,
        };
        const { a, b, at } = await f.pair({ a: { timeout: Infinity }, [end]: options });
        const got = deferred<number>();
        serveKit(b, { note: (request) => got.resolve(request.length) });
        const remote = await a.dial(at);
        const start = f.clock.now();
        void a.send(at, 'note', pattern(1_000_000));
        t.is(await f.drive(got.promise, 25), 1_000_000);
        const took = f.clock.now() - start;
        t.true(took > 7_000 && took < 15_000, `1 MB at 100,000 bytes a second took ${took} ms`);
        t.false(remote.closed);
        t.is(textOf(await f.drive(a.send(at, 'echo', utf8('and on')))), 'and on');
      },
    );
  }
};
