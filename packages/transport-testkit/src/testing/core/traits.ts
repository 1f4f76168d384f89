// Cases that check each rule in each state: one body runs on a transport that is new, opening,
// open, closing and closed.

import { type Server, serve, TransportError } from '@trunkline/transport-core';
import type { TestContext } from '../../test-runner.ts';
import { caught, checked, rejected } from '../../transport/expect.ts';
import type { Fixture } from '../../transport/fixture.ts';
import { type KitTransport, kit, side } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import type { Cases } from '../../transport/suite.ts';
import { deferred, textOf, utf8 } from '../../transport/values.ts';

/**
 * The states of a transport. 'new': only created; 'opening': within `listen`; 'closing': within
 * `close`, held up by a call in flight.
 */
const STATES = ['new', 'opening', 'open', 'closing', 'closed'] as const;
type State = (typeof STATES)[number];

/** States in which calls may be made. */
const LIVE: readonly State[] = ['new', 'opening', 'open'];
/** States in which calls are refused. */
const ENDED: readonly State[] = ['closing', 'closed'];

interface Subject {
  readonly transport: KitTransport;
  /** A peer that is open, serves calls, and is linked both ways. */
  readonly peer: KitTransport;
  readonly at: string;
  /** The address at which it listens or listened; empty if it has not listened yet. */
  readonly address: string;
  /** The server of its calls; `brisk` is not answered before `leave` is called. */
  readonly server: Server;
  /**
   * Ends the operation that the state leaves pending: `listen`, or the call that holds up `close`.
   */
  leave(): Promise<void>;
}

/** Creates a transport in the given state. */
async function subjectIn(f: Fixture, state: State): Promise<Subject> {
  const peer = await f.open(kit);
  serveKit(peer);
  const transport = f.create(kit);
  const gate = deferred<Uint8Array>();
  const running = deferred();
  const server = serveKit(transport, {
    brisk() {
      running.resolve();
      return gate.promise;
    },
  });
  f.link(transport, peer);
  let address = '';
  let under: Promise<unknown> = Promise.resolve();
  // Closing a transport while it opens rejects `listen`; this is not a failure of the case.
  if (state === 'opening') under = transport.listen().catch(() => undefined);
  if (state === 'open' || state === 'closing' || state === 'closed') {
    await transport.listen();
    address = transport.advertiseAddr();
  }
  if (state === 'closing') {
    const call = peer
      .send(address, 'brisk', utf8(''), { timeout: Infinity })
      .catch(() => undefined);
    await f.event('the handler runs', running.promise);
    under = Promise.all([call, transport.close({ grace: 3_600_000 })]);
  }
  if (state === 'closed') await f.drive(transport.close());
  return {
    transport,
    peer,
    at: peer.advertiseAddr(),
    address,
    server,
    async leave() {
      gate.resolve(utf8('left'));
      await f.drive(under);
    },
  };
}

export const traitCases: Cases = (test) => {
  const trait = (
    what: string,
    states: readonly State[],
    body: (subject: Subject, f: Fixture, t: TestContext, state: State) => Promise<void>,
  ) => {
    for (const state of states) {
      test(`${what}, when ${state}`, async (f, t) => {
        const subject = await subjectIn(f, state);
        await body(subject, f, t, state);
        await subject.leave();
      });
    }
  };

  trait('send is answered', LIVE, async ({ transport, at }, _f, t) => {
    t.is(textOf(await transport.send(at, 'echo', utf8('hello'))), 'hello');
    t.is(await transport.to(at).note(utf8('')), undefined);
  });

  trait('send is refused with shutdown, unsent', ENDED, async ({ transport, at }, _f, t) => {
    const refused = { code: 'shutdown', sent: false, origin: 'local' } as const;
    await rejected(t, transport.send(at, 'echo', utf8('')), refused);
    await rejected(t, transport.send(at, 'note', utf8('')), refused);
    await rejected(t, transport.to(at).range(utf8('')), refused);
  });

  trait('dial and writable reach the peer', LIVE, async ({ transport, at }, _f, t) => {
    await transport.writable(at);
    t.is((await transport.dial(at)).direction, 'out');
    t.true(transport.trySend(at, 'note', utf8('')));
    t.deepEqual(transport.trySendAll([at], 'note', utf8('')), [true]);
  });

  trait('dial and writable are refused with shutdown', ENDED, async ({ transport, at }, _f, t) => {
    await rejected(t, transport.dial(at), { code: 'shutdown' });
    await rejected(t, transport.writable(at), { code: 'shutdown' });
  });

  trait('trySend is false without a connection, and dials none', LIVE, async (subject, f, t) => {
    const { transport, at } = subject;
    t.false(transport.trySend(at, 'note', utf8('')));
    t.deepEqual(transport.trySendAll([at, at], 'note', utf8('')), [false, false]);
    await f.turns();
    t.deepEqual([transport.remotes(), transport.snapshot().dialing], [[], []]);
  });

  trait('trySend accepts nothing', ENDED, async ({ transport, at }, _f, t) => {
    const tried = (run: () => boolean) => {
      try {
        return run();
      } catch (error) {
        checked(t, error, { code: 'shutdown' });
        return false;
      }
    };
    t.false(tried(() => transport.trySend(at, 'note', utf8(''))));
    t.false(tried(() => transport.trySendAll([at], 'note', utf8(''))[0] === true));
  });

  trait('a consumer ends at once', ['closed'], async ({ transport }, _f, t) => {
    t.is((await transport.consumer().next()).done, true);
    t.is((await transport.connections().next()).done, true);
  });

  trait(
    'an incoming call is refused as unavailable, unsent',
    ENDED,
    async ({ address, peer }, _f, t) => {
      await rejected(t, peer.send(address, 'echo', utf8('')), { code: 'unavailable', sent: false });
    },
  );

  trait('close is idempotent', STATES, async ({ transport, leave }, f, t) => {
    const closings = [
      transport.close(),
      transport.close({ grace: 0 }),
      transport[Symbol.asyncDispose](),
    ];
    await leave();
    await f.drive(Promise.all(closings));
    await f.drive(transport.close());
    t.is(transport.snapshot().state, 'closed');
  });

  trait(
    'disconnect and closeStreams can be called',
    STATES,
    async ({ transport, at, leave }, f, t) => {
      const calls = [transport.disconnect(at), transport.closeStreams()];
      await leave();
      await f.drive(Promise.all(calls));
      t.pass();
    },
  );

  trait('snapshot and remotes can be read', STATES, async ({ transport }, _f, t, state) => {
    const snapshot = transport.snapshot();
    t.is(snapshot.state, state === 'closing' || state === 'closed' ? state : 'open');
    t.is(snapshot.protocols[0]?.name, 'testkit');
    if (state !== 'closing') t.deepEqual(transport.remotes(), []);
    t.is(JSON.stringify(structuredClone(snapshot)), JSON.stringify(snapshot), 'it is plain data');
  });

  trait('a mount can be made and called through', LIVE, async ({ transport, peer, at }, _f, t) => {
    serve(peer.mount(side), { echo: (request) => request });
    const mounted = transport.mount(side);
    t.is(textOf(await mounted.send(at, 'echo', utf8('mounted'))), 'mounted');
  });

  trait(
    'calls over a new mount are refused with shutdown',
    ENDED,
    async ({ transport, at }, _f, t) => {
      const use = async () => transport.mount(side).send(at, 'echo', utf8(''));
      await rejected(t, use(), { code: 'shutdown' });
    },
  );

  trait(
    'a mount that was made before is refused with shutdown',
    ['closed'],
    async ({ peer, at }, f, t) => {
      const mounted = peer.mount(side);
      await f.drive(peer.close());
      await rejected(t, mounted.send(at, 'echo', utf8('')), { code: 'shutdown', sent: false });
      t.is((await mounted.consumer().next()).done, true);
      await f.drive(mounted.close());
    },
  );

  trait('localAddr throws failed_precondition', ['new'], async ({ transport }, _f, t) => {
    for (const read of [() => transport.localAddr(), () => transport.localAddrs()]) {
      try {
        t.fail(`it was ${read()}`);
      } catch (error) {
        checked(t, error, { code: 'failed_precondition' });
      }
    }
  });

  trait('localAddr is the address at which it listens', ['open'], async ({ transport }, _f, t) => {
    t.is(transport.localAddrs()[0], transport.localAddr());
    t.is(transport.advertiseAddr(), transport.localAddr());
    t.deepEqual([...transport.snapshot().localAddrs], transport.localAddrs());
  });

  trait(
    'a second listen has no effect on the first',
    ['opening', 'open'],
    async ({ transport, peer }, f, t) => {
      const again = transport
        .listen()
        .catch((error: unknown) => checked(t, error, { code: 'failed_precondition' }));
      await f.drive(again);
      await f.until('the transport listens', () => transport.snapshot().localAddrs.length > 0);
      t.is(textOf(await peer.send(transport.advertiseAddr(), 'echo', utf8('in'))), 'in');
    },
  );

  trait('listen is refused with a typed error', ENDED, async ({ transport }, _f, t) => {
    const error = await caught(t, transport.listen());
    t.true(
      error instanceof TransportError &&
        (error.code === 'shutdown' || error.code === 'failed_precondition'),
      String(error),
    );
  });

  trait(
    'a server can be stopped, twice',
    STATES,
    async ({ server, transport, leave }, f, t, state) => {
      const stopping = [server.stop(), server.stop({ grace: 100 })];
      await leave();
      await f.drive(Promise.all(stopping));
      if (LIVE.includes(state)) serve(transport, { echo: (request) => request });
      t.pass();
    },
  );
};
