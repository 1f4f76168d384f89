// Cases about failing handlers: the caller gets one typed error, and no other call is affected.

import { serve, TransportError } from '@trunkline/transport-core';
import { rejected } from './expect.ts';
import { type SyncRequest, side } from './protocols.ts';
import { serveKit } from './serving.ts';
import type { Cases } from './suite.ts';
import { deferred, textOf, utf8 } from './values.ts';

export const failureCases: Cases = (define) => {
  define(
    'a handler that throws, rejects or throws a non-Error answers internal, and the server keeps running',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      const failures: (() => never | Promise<never>)[] = [
        () => {
          throw new Error('thrown');
        },
        () => Promise.reject(new Error('rejected')),
        () => {
          throw 'a string';
        },
        () => {
          throw undefined;
        },
        () => Promise.reject(null),
      ];
      let next = 0;
      serveKit(b, { echo: () => (failures[next++] as () => never)(), brisk: (request) => request });
      for (const message of [/thrown/, /rejected/, /a string/, /./, /./]) {
        await rejected(t, a.send(at, 'echo', utf8('')), {
          code: 'internal',
          sent: true,
          origin: 'remote',
          message,
        });
      }
      t.is(textOf(await a.send(at, 'brisk', utf8('alive'))), 'alive');
    },
  );

  define('a handler that returns nothing instead of an answer answers internal', async (f, t) => {
    const { a, b, at } = await f.pair();
    serveKit(b, { echo: () => undefined, sync: async () => undefined });
    await rejected(t, a.send(at, 'echo', utf8('')), { code: 'internal' });
    await rejected(t, a.send(at, 'sync', plain), { code: 'internal' });
  });

  define('only code, reason, message and metadata of an error are sent', async (f, t) => {
    const { a, b, at } = await f.pair();
    const secret: { self?: unknown; password: string } = { password: 'hunter2' };
    secret.self = secret;
    serveKit(b, {
      echo() {
        throw Object.assign(new Error('could not', { cause: secret }), { secret });
      },
      brisk() {
        throw new TransportError('failed_precondition', 'not the leader', {
          metadata: { leader: 'node-3' },
          cause: secret,
        });
      },
    });
    const plainError = await rejected(t, a.send(at, 'echo', utf8('')), {
      code: 'internal',
      message: /could not/,
    });
    t.is(plainError.cause, undefined);
    t.false(JSON.stringify({ ...plainError, message: plainError.message }).includes('hunter2'));
    t.false(plainError.message.includes('failures.'), 'no stack crosses');
    const typed = await rejected(t, a.send(at, 'brisk', utf8('')), {
      code: 'failed_precondition',
      origin: 'remote',
      message: /not the leader/,
    });
    t.deepEqual({ ...typed.metadata }, { leader: 'node-3' });
    t.is(typed.cause, undefined);
  });

  define('rpc.fail reaches the caller with its code', async (f, t) => {
    const { a, b, at } = await f.pair();
    const answered = f.t;
    void (async () => {
      for await (const rpc of b.consumer())
        answered.true(rpc.fail(new TransportError('not_found', `no ${rpc.method}`)));
    })();
    await rejected(t, a.send(at, 'echo', utf8('')), {
      code: 'not_found',
      origin: 'remote',
      sent: true,
      message: /no echo/,
    });
  });

  define('answering twice throws a TypeError, and the first answer counts', async (f, t) => {
    const { a, b, at } = await f.pair();
    const consumer = b.consumer('echo');
    const answer = a.send(at, 'echo', utf8(''));
    const { value: rpc } = await consumer.next();
    t.true(rpc.respond(utf8('first')));
    t.throws(() => rpc.respond(utf8('second')), { instanceOf: TypeError });
    t.throws(() => rpc.fail(new Error('third')), { instanceOf: TypeError });
    t.is(textOf(await answer), 'first');
  });

  define(
    'an error of any size is delivered: its text is cut, and its metadata is omitted above 8 KiB',
    async (f, t) => {
      const { a, b, at } = await f.pair();
      const remote = await a.dial(at);
      const errors = [
        new TransportError('aborted', 'ö'.repeat(1_000_000)),
        new TransportError('aborted', 'much beside it', {
          metadata: { much: 'x'.repeat(1_000_000) },
        }),
        new TransportError('aborted', 'many beside it', {
          metadata: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, ''])),
        }),
      ];
      for (const thrown of errors) {
        const server = serve(b, {
          echo() {
            throw thrown;
          },
        });
        const error = await rejected(t, a.send(at, 'echo', utf8('')), {
          code: 'aborted',
          origin: 'remote',
        });
        t.true(utf8(error.message).length < 3_000, `${error.message.length} characters`);
        t.true(JSON.stringify(error.metadata ?? {}).length < 20_000);
        await server.stop();
      }
      t.false(remote.closed);
    },
  );

  define('a failed call does not affect the connection and other calls', async (f, t) => {
    const { a, b, at } = await f.pair();
    const gate = deferred<Uint8Array>();
    serveKit(b, {
      echo: () => gate.promise,
      brisk() {
        throw new Error('no');
      },
    });
    const pending = a.send(at, 'echo', utf8(''));
    const remote = await a.dial(at);
    for (let i = 0; i < 50; i++)
      await rejected(t, a.send(at, 'brisk', utf8('')), { code: 'internal' });
    gate.resolve(utf8('untouched'));
    t.is(textOf(await pending), 'untouched');
    t.false(remote.closed);
    await rejected(t, a.mount(side).send(at, 'echo', utf8('')), { code: 'unimplemented' });
    t.false(remote.closed);
  });
};

const plain: SyncRequest = { from: '', known: {}, limit: 0, heads: [], parent: null };
