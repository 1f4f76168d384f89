// What the cases share: their declaration, and checks of frames, of errors, and of the end of a
// connection.

import type { TransportError } from '@trunkline/transport-core';
import type { TestContext, TestFunction } from '@trunkline/transport-testkit';
import type { RawFrame, RawPeer } from '@trunkline/transport-testkit/internal';
import {
  type FixtureOptions,
  openTransport,
  type Role,
  type SessionBackend,
  type SessionFixture,
  type SessionSetup,
  session,
  type TransportFixture,
} from './session-fixture.ts';

/** Declares cases for one kind of stream. */
export interface Suite {
  test: TestFunction;
  /** Declares a case for each role of the transport; `up` connects it to a raw peer. */
  it(
    title: string,
    run: (
      t: TestContext,
      up: (setup?: SessionSetup) => Promise<SessionFixture>,
      role: Role,
    ) => Promise<void>,
  ): void;
  /** Starts a listening transport; it is closed after the case. */
  open(t: TestContext, options?: FixtureOptions): Promise<TransportFixture>;
  /** Connects a transport of that role to a raw peer. */
  connect(t: TestContext, role: Role, setup?: SessionSetup): Promise<SessionFixture>;
  /**
   * Declares a case for each role: `commit` violates the protocol on a connection that is up, and
   * the observer must receive the violation.
   */
  violates(
    title: string,
    commit: (s: SessionFixture) => void | Promise<void>,
    setup?: SessionSetup,
  ): void;
}

export function suiteOf(test: TestFunction, backend: SessionBackend): Suite {
  const connect: Suite['connect'] = (t, role, setup) => session(t, backend, role, setup);
  const it: Suite['it'] = (title, run) => {
    for (const role of ['acceptor', 'dialer'] as const)
      test(`${title} (as ${role})`, (t) => run(t, (setup) => connect(t, role, setup), role));
  };
  return {
    test,
    it,
    connect,
    open: (t, options) => openTransport(t, backend, options),
    violates: (title, commit, setup) =>
      it(`${title} is a violation`, async (t, up) => {
        const s = await up(setup);
        await commit(s);
        await violation(t, s.peer);
        const { cause } = await s.seen.first('down');
        t.true(
          cause?.reason === 'malformed' || cause?.reason === 'too_large',
          `the observer is told of the violation, not of ${cause?.code}/${cause?.reason}`,
        );
      }),
  };
}

/**
 * Checks that a violation ends with GO_AWAY internal/malformed (or resource_exhausted/too_large) as
 * the last frame, followed by the end of the connection.
 */
export async function violation(t: TestContext, peer: RawPeer): Promise<RawFrame> {
  const bye = await peer.next('GO_AWAY');
  const told = `${bye.code}/${bye.reason}`;
  t.true(
    told === '13/12' || told === '8/14',
    `a violation ends with 13/12 or 8/14, not ${told} '${bye.text}'`,
  );
  t.true(bye.text.length > 0, 'its GO_AWAY says what was wrong');
  await peer.expectClosed();
  t.is(peer.log.at(-1), bye, 'nothing follows the GO_AWAY of a violation');
  return bye;
}

/** Returns the next frame of that kind, which must have these fields. */
export async function gets(
  t: TestContext,
  peer: RawPeer,
  kind: RawFrame['kind'],
  fields: Partial<RawFrame>,
): Promise<RawFrame> {
  const frame = await peer.next(kind);
  has(t, frame, fields);
  return frame;
}

/**
 * Returns the TransportError that a promise rejects with, which must have these properties; fails
 * the case if it resolves.
 */
export async function failure(
  t: TestContext,
  promise: PromiseLike<unknown>,
  properties: Partial<TransportError> = {},
): Promise<TransportError> {
  try {
    await promise;
  } catch (error) {
    t.is((error as Error).name, 'TransportError', String(error));
    has(t, error as TransportError, properties);
    return error as TransportError;
  }
  throw new Error('expected an error, but the promise resolved');
}

/** Checks these properties of an object. */
export function has<T extends object>(t: TestContext, it: T, properties: Partial<T>): void {
  for (const [name, value] of Object.entries(properties)) t.is(it[name as keyof T], value, name);
}
