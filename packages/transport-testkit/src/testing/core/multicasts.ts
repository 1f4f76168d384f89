// Cases about one request to many targets: responses are yielded as they arrive, until there are
// enough, and one bad target does not affect the others.

import { multicast } from '@trunkline/resilience';
import { checked } from '../../transport/expect.ts';
import { createWire } from '../../transport/faults.ts';
import type { Fixture } from '../../transport/fixture.ts';
import { type KitTransport, kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, listOf, textOf, utf8 } from '../../transport/values.ts';

export const multicastCases: Cases = (test) => {
  test('multicast yields every answer with its target', async (f, t) => {
    const { a, at } = await group(f, 3);
    const answers = await listOf(multicast(a, at, 'echo', utf8('all')));
    t.deepEqual(answers.map(({ target }) => target as string).sort(), [...at].sort());
    for (const { response, error } of answers) {
      t.is(error, undefined);
      t.is(response && textOf(response), 'all');
    }
  });

  test('a target that fails yields its error and disturbs no other', async (f, t) => {
    const { a, at } = await group(f, 3);
    const nowhere = f.backend.unreachable();
    const answers = await listOf(multicast(a, [nowhere, ...at], 'echo', utf8('')));
    t.is(answers.length, 4);
    t.is(answers.filter(({ response }) => response !== undefined).length, 3);
    checked(t, answers.find(({ target }) => target === nowhere)?.error, {
      code: 'unavailable',
      sent: false,
    });
  });

  test('until first ends with the first response and cancels the rest', async (f, t) => {
    const { a, at, peers } = await group(f, 3, { hang: [1, 2] });
    const answers = await listOf(multicast(a, at, 'brisk', utf8(''), { until: 'first' }));
    t.is(answers.length, 1);
    t.is(answers[0]?.target, at[0] as string);
    await f.until('the other calls are canceled', () =>
      peers.every((peer) => openCalls(peer) === 0),
    );
  });

  test('a multicast that a handler returns too late cancels its calls', async (f, t) => {
    const { a, at } = await group(f, 3, { hang: [0, 1, 2] });
    await Promise.all(at.map((peer) => a.dial(peer)));
    const called = deferred();
    const gone = deferred();
    let made = 0;
    serveKit(a, {
      async range(_request, rpc) {
        called.resolve();
        rpc.signal.addEventListener('abort', () => gone.resolve());
        await gone.promise;
        const answers = multicast(a, at, 'brisk', utf8(''), { timeout: Infinity });
        made = openCalls(a, 'out');
        return answers as never;
      },
    });
    const controller = new AbortController();
    const { signal } = controller;
    const caller = await f.open(kit);
    f.link(caller, a);
    void caller.send(a.advertiseAddr(), 'range', utf8(''), { signal }).catch(() => {});
    await f.event('the call at its handler', called.promise);
    controller.abort();
    await f.event('the signal of the handler', gone.promise);
    await f.until('the calls are canceled', () => openCalls(a, 'out') === 0);
    t.is(made, 3);
  });

  test('until a number ends after that many responses; errors do not count', async (f, t) => {
    const { a, at } = await group(f, 4, { hang: [3] });
    const answers = await listOf(
      multicast(a, [f.backend.unreachable(), ...at], 'brisk', utf8(''), { until: 3 }),
    );
    t.is(answers.filter(({ response }) => response !== undefined).length, 3);
  });

  test('a quorum is a majority of the targets and the caller, the caller counted', async (f, t) => {
    const { a, at } = await group(f, 4, { hang: [2, 3] });
    const answers = await listOf(multicast(a, at, 'brisk', utf8(''), { until: 'quorum' }));
    t.is(answers.length, 2);
  });

  test('until with a function calls it after each answer, including errors', async (f, t) => {
    const { a, at } = await group(f, 3);
    const seen: number[] = [];
    const targets = [f.backend.unreachable(), ...at];
    await listOf(
      multicast(a, targets, 'echo', utf8(''), {
        until(answers) {
          seen.push(answers.length);
          return answers.some(({ error }) => error !== undefined) && answers.length >= 2;
        },
      }),
    );
    t.true(seen.length >= 2);
    for (const [i, count] of seen.entries()) t.is(count, i + 1);
  });

  test('a multicast ends when all have answered, even if until is not met', async (f, t) => {
    const { a, at } = await group(f, 2);
    const answers = await listOf(
      multicast(a, [...at, f.backend.unreachable()], 'echo', utf8(''), { until: 3 }),
    );
    t.is(answers.length, 3);
    t.deepEqual(await listOf(multicast(a, [], 'echo', utf8(''))), []);
  });

  test('leaving the loop cancels the rest, or lets it run', async (f, t) => {
    for (const rest of ['cancel', 'run'] as const) {
      const { a, at, peers } = await group(f, 3, { hang: [1, 2] });
      for await (const { target } of multicast(a, at, 'brisk', utf8(''), { rest })) {
        t.is(target, at[0]);
        break;
      }
      if (rest === 'cancel')
        await f.until('the other calls are canceled', () =>
          peers.every((peer) => openCalls(peer) === 0),
        );
      else
        await f.until(
          'two other calls are still open',
          () => peers.filter((peer) => openCalls(peer) === 1).length === 2,
        );
    }
  });

  test('each call has its own timeout', async (f, t) => {
    const { a, at } = await group(f, 3, { hang: [1] });
    for (const target of at) await a.dial(target);
    const reading = listOf(multicast(a, at, 'brisk', utf8(''), { timeout: 300 }));
    await f.until(
      'two peers have answered',
      () => a.snapshot().connections.reduce((sum, { calls }) => sum + calls.out, 0) === 1,
    );
    f.clock.advance(301);
    const answers = await reading;
    t.is(answers.filter(({ response }) => response !== undefined).length, 2);
    checked(t, answers.find(({ target }) => target === at[1])?.error, {
      code: 'deadline_exceeded',
      sent: true,
    });
  });

  test('a stopped peer delays no other answer', async (f, t) => {
    const wire = createWire();
    const { a, at } = await group(f, 5);
    const stopped = await f.open(kit, {}, { wrap: wire.wrap });
    f.link(a, stopped);
    await a.dial(stopped.advertiseAddr());
    wire.freeze();
    const controller = new AbortController();
    const got: unknown[] = [];
    for await (const { target } of multicast(
      a,
      [stopped.advertiseAddr(), ...at],
      'echo',
      utf8(''),
      { signal: controller.signal },
    )) {
      got.push(target);
      if (got.length === 5) controller.abort('that is all');
    }
    t.deepEqual([...got.slice(0, 5)].sort(), [...at].sort());
    wire.thaw();
  });
};

/**
 * Opens a transport and `size` peers that serve it; the peers listed in `hang` never answer
 * `brisk`.
 */
async function group(f: Fixture, size: number, { hang = [] }: { hang?: number[] } = {}) {
  const a = await f.open(kit, { timeout: Infinity });
  const peers: KitTransport[] = [];
  for (let i = 0; i < size; i++) {
    const peer = await f.open(kit);
    f.link(a, peer);
    serveKit(peer, hang.includes(i) ? { brisk: () => new Promise(() => undefined) } : {});
    peers.push(peer);
  }
  return { a, peers, at: peers.map((peer) => peer.advertiseAddr()) };
}

function openCalls(transport: KitTransport, way: 'in' | 'out' = 'in'): number {
  return transport.snapshot().connections.reduce((sum, { calls }) => sum + calls[way], 0);
}
