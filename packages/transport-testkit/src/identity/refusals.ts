// Checks of refusals at both ends: every waiting call gets one typed error that names the node and
// the reason, and no data of the application is seen.

import type { ErrorCode, ErrorReason, Remote, TransportError } from '@trunkline/transport-core';
import type { Bytes } from '@trunkline/transport-core/backend';
import { caught, checked } from '../transport/expect.ts';
import type { EventOf, IdentityFixture, IdentityNode } from './identity-fixture.ts';

export interface ExpectedRefusal {
  readonly code: ErrorCode;
  readonly reason: ErrorReason;
  /** Matches the error texts of both ends. */
  readonly says: RegExp;
  /** The end that refused. A dialer that refused has revealed nothing about itself. */
  readonly by: 'dialer' | 'acceptor' | 'both';
}

/** Matches the error of an end whose own certificate the other end refused. */
const MINE = /the other end refused this end's certificate/;

/**
 * Makes several kinds of calls to `target`, which share one dial, and checks that both ends refuse
 * it with the same error. If `acceptor` is a node, it must not dispatch anything. `dialer` must not
 * be connected to `target`.
 */
export async function checkRefused(
  f: IdentityFixture,
  dialer: IdentityNode,
  target: string,
  acceptor: Pick<IdentityNode, 'events'> & Partial<IdentityNode>,
  expected: ExpectedRefusal,
): Promise<void> {
  const { t } = f;
  const { transport } = dialer;
  const before = {
    failed: failures(dialer).length,
    told: rejections(acceptor, 'in').length,
    asked: dialer.asked.length,
  };
  const served = acceptor.served?.length ?? 0;
  const askedThere = acceptor.asked?.length ?? 0;
  const liveHere = transport.remotes().length;
  t.false(transport.trySend(target, 'hint', Uint8Array.of(1)), 'nothing is live to send over');
  const calls = [
    transport.send(target, 'echo', Uint8Array.of(1)),
    transport.send(target, 'hint', Uint8Array.of(2)),
    transport
      .send(target, 'feed', Uint8Array.of(3))
      .then((items) => items[Symbol.asyncIterator]().next()),
    transport.dial(target),
    transport.writable(target),
  ];
  const isMine = expected.reason.endsWith('_certificate') && expected.by === 'acceptor';
  for (const error of await Promise.all(calls.map((call) => caught(t, call)))) {
    checked(t, error, {
      code: expected.code,
      reason: expected.reason,
      sent: false,
      unreachable: !(isMine && expected.reason === 'expired_certificate'),
      message: expected.says,
    });
    t.is((error as TransportError).target, target, 'the error names what was dialed');
    if (isMine)
      t.regex((error as TransportError).message, MINE, 'whose certificate it was can be read');
  }
  await f.until(
    'both ends report the failure',
    () =>
      failures(dialer).length > before.failed && rejections(acceptor, 'in').length > before.told,
  );
  for (const told of [
    failures(dialer).slice(before.failed),
    rejections(acceptor, 'in').slice(before.told),
  ]) {
    t.is(told.length, 1, 'one dial, told once at each end');
    checked(t, told[0]!.error, {
      code: expected.code,
      reason: expected.reason,
      message: expected.says,
    });
  }
  t.is(acceptor.served?.length ?? 0, served, 'nothing was dispatched');
  t.is(acceptor.asked?.length ?? 0, askedThere, 'the acceptor asked its user nothing');
  if (expected.by !== 'acceptor')
    t.is(dialer.asked.length, before.asked, 'the dialer asked its user nothing, and told nothing');
  t.is(transport.remotes().length, liveHere, 'nothing came up');
}

/**
 * Checks that `dialer` can call `acceptor`, that each knows the other's id, and that the answer is
 * right. Nobody else may call `acceptor` meanwhile. Returns the dialer's Remote.
 */
export async function checkCall(
  f: IdentityFixture,
  dialer: IdentityNode,
  acceptor: IdentityNode,
  target = acceptor.at,
): Promise<Remote> {
  const { t } = f;
  const request = Uint8Array.of(
    ...new TextEncoder().encode(`${acceptor.served.length} ${dialer.nodeId}`),
  );
  t.deepEqual(await dialer.transport.send(target, 'echo', request), request as Bytes);
  const call = acceptor.served.at(-1)!;
  t.deepEqual(call.request, request as Bytes);
  t.is(call.from.nodeId, dialer.nodeId, 'the callee knows who calls');
  const remote = await dialer.transport.dial(target);
  t.is(remote.nodeId, acceptor.nodeId, 'the caller knows whom it called');
  return remote;
}

function failures(of: IdentityNode): EventOf<'dialFailed'>[] {
  return of.events.filter((event): event is EventOf<'dialFailed'> => event.type === 'dialFailed');
}

/** Returns the events of a node about connections that did not come up. */
export function rejections(
  of: Pick<IdentityNode, 'events'>,
  direction?: 'in' | 'out',
): EventOf<'rejected'>[] {
  return of.events.filter(
    (event): event is EventOf<'rejected'> =>
      event.type === 'rejected' && (direction === undefined || event.direction === direction),
  );
}
