// Cases about reentrancy: the user's code makes calls from within the transport's callbacks.

import { serve } from '@trunkline/transport-core';
import { checked, rejected } from '../../transport/expect.ts';
import { kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, textOf, utf8 } from '../../transport/values.ts';
import { served } from './shared.ts';

export const reentrancyCases: Cases = (test) => {
  test('a transport may be closed by its own observer', async (f, t) => {
    const closed = deferred<Promise<void>>();
    const a = await f.open(kit, {
      observer: {
        event(event) {
          if (event.type === 'up') closed.resolve(a.close());
        },
      },
    });
    const b = await f.open(kit);
    f.link(a, b);
    serveKit(b);
    const call = a.send(b.advertiseAddr(), 'echo', utf8('')).then(
      () => 'answered',
      (error: { code: string }) => error.code,
    );
    await f.drive(closed.promise.then((closing) => closing));
    t.is(await call, 'shutdown');
    t.is(a.snapshot().state, 'closed');
  });

  test('an observer may call over a connection when it is reported', async (f, t) => {
    const answer = deferred<Promise<Uint8Array>>();
    const a = await f.open(kit, {
      observer: {
        event(event) {
          if (event.type === 'up') answer.resolve(a.send(event.remote, 'echo', utf8('at once')));
        },
      },
    });
    const b = await f.open(kit);
    f.link(a, b);
    serveKit(b);
    await a.dial(b.advertiseAddr());
    t.is(textOf(await await answer.promise), 'at once');
  });

  test('a Remote cannot be called while admit runs', async (f, t) => {
    const early = deferred<unknown>();
    const b = await f.open(kit, {
      async admit(remote) {
        early.resolve(await b.send(remote, 'echo', utf8('')).catch((error: unknown) => error));
        if (b.trySend(remote, 'note', utf8(''))) throw new Error('it was taken');
      },
    });
    const a = await f.open(kit);
    f.link(a, b);
    serveKit(a);
    const remote = await a.dial(b.advertiseAddr());
    const error = await f.event('the error of a call made too early', early.promise);
    checked(t, error, { code: 'unavailable', sent: false });
    t.false(remote.closed);
  });

  test('a handler may disconnect its caller', async (f, t) => {
    const { a, b, at } = await f.pair();
    const gone = deferred<Promise<void>>();
    serveKit(b, {
      echo(request, rpc) {
        gone.resolve(b.disconnect(rpc.from, 'not you'));
        return request;
      },
    });
    const answer = await a
      .send(at, 'echo', utf8('first the answer'))
      .then(textOf, (error: { code: string }) => error.code);
    t.is(answer, 'first the answer');
    await f.drive(gone.promise.then((leaving) => leaving));
    await f.until(
      'the connection is down at both ends',
      () => a.remotes().length === 0 && b.remotes().length === 0,
    );
  });

  test('a handler may stop its own server and start another', async (f, t) => {
    const { a, b, at } = await f.pair();
    const server = serve(b, {
      echo(request) {
        void server.stop();
        serve(b, { echo: () => utf8('the second') });
        return request;
      },
    });
    t.is(textOf(await a.send(at, 'echo', utf8('the first'))), 'the first');
    t.is(textOf(await a.send(at, 'echo', utf8(''))), 'the second');
  });

  test('an abort from within the handler of the call that it aborts settles it once', async (f, t) => {
    const controller = new AbortController();
    const { a, at } = await served(f, {
      echo(request) {
        controller.abort('from inside');
        return request;
      },
    });
    const error = await rejected(t, a.send(at, 'echo', utf8(''), { signal: controller.signal }), {
      code: 'cancelled',
      sent: true,
    });
    t.is(error.cause, 'from inside');
    t.is(textOf(await a.send(at, 'echo', utf8('and on'), { timeout: 1_000 })), 'and on');
  });
};
