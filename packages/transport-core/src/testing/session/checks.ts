// Checks shared by the cases: the end of a connection, and the error of a call.

import type { TransportError } from '@trunkline/transport-core';
import type { TestContext, TestFunction } from '@trunkline/transport-testkit';
import type { RawFrame, RawPeer } from '@trunkline/transport-testkit/internal';
import {
  eachRole,
  type SessionBackend,
  type SessionFixture,
  type SessionSetup,
  session,
} from './session-fixture.ts';

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

/**
 * Declares a case for each role: `commit` violates the protocol on a connection that is up, and the
 * observer must receive the violation.
 */
export function violates(
  test: TestFunction,
  backend: SessionBackend,
  title: string,
  commit: (s: SessionFixture) => void | Promise<void>,
  setup?: SessionSetup,
): void {
  eachRole(test, `${title} is a violation`, async (t, role) => {
    const s = await session(t, backend, role, setup);
    await commit(s);
    await violation(t, s.peer);
    const { cause } = await s.seen.first('down');
    t.true(
      cause?.reason === 'malformed' || cause?.reason === 'too_large',
      `the observer is told of the violation, not of ${cause?.code}/${cause?.reason}`,
    );
  });
}

/** Returns the TransportError that a promise rejects with; fails the case if it resolves. */
export async function failure(
  t: TestContext,
  promise: PromiseLike<unknown>,
): Promise<TransportError> {
  try {
    await promise;
  } catch (error) {
    t.is((error as Error).name, 'TransportError', String(error));
    return error as TransportError;
  }
  throw new Error('expected an error, but the promise resolved');
}
