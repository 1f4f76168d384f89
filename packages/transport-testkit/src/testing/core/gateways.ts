// Cases about handlers that make other calls: an error of such a call shows a caller neither
// addresses nor texts of other nodes.

import { type AnyTransport, serve, TransportError } from '@trunkline/transport-core';
import { rejected } from '../../transport/expect.ts';
import type { Fixture } from '../../transport/fixture.ts';
import { kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, listOf, streamOf, utf8 } from '../../transport/values.ts';

export const gatewayCases: Cases = (test) => {
  test('the error of a call that a handler made is not sent to its caller', async (f, t) => {
    const { gateway, failing } = await backendOf(f);
    const a = await f.open(kit);
    const at = gateway.advertiseAddr();
    f.link(a, gateway);
    const ways = {
      'cannot be connected': () => gateway.send(f.backend.unreachable(), 'echo', utf8('')),
      'answers with an error': () => gateway.send(failing, 'echo', utf8('')),
      'fails in a stream': async () => {
        await listOf(await gateway.send(failing, 'range', utf8('')));
        throw new Error('it did not fail');
      },
      'is not dialed': () => gateway.dial(f.backend.unreachable()),
    };
    for (const [how, call] of Object.entries(ways)) {
      const server = serveKit(gateway, {
        echo: () => call() as Promise<never>,
        brisk: (_, rpc) => call().then(undefined, (error) => void rpc.fail(error)) as never,
        async *range() {
          yield utf8('one');
          await call();
        },
        async *pipe() {
          yield utf8('one');
          await call();
        },
        gather: () => call() as Promise<never>,
      });
      for (const asked of [
        () => a.send(at, 'echo', utf8('')),
        () => a.send(at, 'brisk', utf8(''), { timeout: Infinity }),
        () => a.send(at, 'gather', utf8(''), { upload: streamOf([]) }),
        async () => listOf(await a.send(at, 'range', utf8(''))),
        async () => listOf(await a.send(at, 'pipe', utf8(''), { upload: streamOf([]) })),
      ]) {
        const before = withheldBy(f, gateway).length;
        const error = await rejected(t, asked(), { code: 'internal', origin: 'remote' });
        t.regex(error.message, /^'testkit\/\w+': another call that was made to answer it/, how);
        t.is(error.reason, undefined);
        t.is(error.metadata, undefined);
        const [withheld] = withheldBy(f, gateway).slice(before);
        t.true(withheld instanceof TransportError && withheld.target !== undefined, how);
      }
      await server.stop();
    }
  });

  test('a handler that makes a new error of another one answers with it', async (f, t) => {
    const { gateway, failing } = await backendOf(f);
    const a = await f.open(kit);
    f.link(a, gateway);
    serveKit(gateway, {
      echo: (request) =>
        gateway.send(failing, 'echo', request).catch((error) => {
          throw new TransportError(error.code, 'no such entry', { metadata: error.metadata });
        }),
    });
    const asked = a.send(gateway.advertiseAddr(), 'echo', utf8(''));
    const error = await rejected(t, asked, { code: 'not_found', message: /^no such entry$/ });
    t.deepEqual({ ...error.metadata }, { hint: 'of the backend' });
    t.deepEqual(withheldBy(f, gateway), []);
  });

  test('toError decides what is sent of the error of another call', async (f, t) => {
    const { gateway, failing } = await backendOf(f);
    const a = await f.open(kit);
    f.link(a, gateway);
    const handlers = {
      echo: (request: Uint8Array<ArrayBuffer>) => gateway.send(failing, 'echo', request),
    };
    serve(gateway, handlers, { toError: (error) => error as TransportError });
    await rejected(t, a.send(gateway.advertiseAddr(), 'echo', utf8('')), {
      code: 'not_found',
      message: /^secret of the backend$/,
    });
  });

  test('a rule that makes another call does not show its error to peers', async (f, t) => {
    const { gateway: rule, failing } = await backendOf(f);
    let isAdmitted = true;
    const ask = () => rule.send(failing, 'echo', utf8('')).then(() => true);
    const gateway = await f.open(kit, { admit: () => isAdmitted || ask() });
    serve(gateway, { echo: (request) => request }, { allow: ask });
    const a = await f.open(kit);
    f.link(a, gateway);
    const at = gateway.advertiseAddr();
    const denied = await rejected(t, a.send(at, 'echo', utf8('')), {
      code: 'internal',
      sent: false,
    });
    t.false(denied.message.includes('secret'));
    await f.drive(a.disconnect(at));
    isAdmitted = false;
    f.link(a, gateway);
    const refused = await rejected(t, a.dial(at), { code: 'internal', reason: 'refused' });
    t.false(refused.message.includes('secret'));
  });

  test('a deadline that a handler hands on stays one', async (f, t) => {
    const { gateway, failing } = await backendOf(f);
    const clock = f.newClock();
    const a = await f.open(kit, { clock });
    f.link(a, gateway);
    await gateway.dial(failing);
    let called = deferred();
    const ask = (timeout: number) => {
      called.resolve();
      return gateway.send(failing, 'brisk', utf8(''), { timeout });
    };
    serveKit(gateway, {
      echo: (_, { deadline }) => ask(deadline! - gateway.clock.now() - 10),
      brisk: () => ask(100),
    });
    for (const [method, code] of [
      ['echo', 'deadline_exceeded'],
      ['brisk', 'internal'],
    ] as const) {
      called = deferred();
      const call = a.send(gateway.advertiseAddr(), method, utf8(''), { timeout: 1_000 });
      await f.event('the call of the handler', called.promise);
      f.clock.advance(method === 'echo' ? 995 : 105);
      const error = await rejected(t, call, { code, origin: 'remote' });
      t.regex(error.message, /another call that was made/);
    }
  });
};

/** Opens a node for the case's handlers, and another one whose handlers fail or never answer. */
async function backendOf(f: Fixture) {
  const gateway = await f.open(kit);
  const backend = await f.open(kit);
  f.link(gateway, backend);
  const fail = (): never => {
    throw new TransportError('not_found', 'secret of the backend', {
      metadata: { hint: 'of the backend' },
    });
  };
  serveKit(backend, { echo: fail, range: fail, brisk: () => new Promise(() => undefined) });
  return { gateway, failing: backend.advertiseAddr() };
}

/** Returns the errors that the handlers of a transport withheld from their callers. */
function withheldBy(f: Fixture, transport: AnyTransport): unknown[] {
  return f
    .seen(transport)
    .events.flatMap((event) =>
      event.type === 'callbackFailed' && event.callback === 'handler' ? [event.error] : [],
    );
}
