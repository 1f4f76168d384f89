// Runs handshakes one after the other over a wire that tampers with each: measures their lengths,
// and checks how each one ends.

import { TransportError } from '@trunkline/transport-core';
import { equalBytes } from '../transport/values.ts';
import { count, type IdentityFixture, type IdentityNode } from './identity-fixture.ts';
import { checkCall, rejections } from './refusals.ts';
import type { Relay, Tamperings, WritingEnd } from './relay.ts';

/** Two nodes, and the wire between them. */
export interface RelayedNodes {
  readonly a: IdentityNode;
  readonly b: IdentityNode;
  /** A bystander, which must keep working whatever happens to the others. */
  readonly other: IdentityNode;
  readonly relay: Relay & { readonly at: string };
}

/**
 * Opens nodes with keys whose signatures always have the same length, so that all handshakes have
 * the same length, too.
 */
export async function relayedNodes(
  f: IdentityFixture,
  times: { dial: number; handshake: number },
): Promise<RelayedNodes> {
  // Hours of simulated time pass here, in steps that leave time for a PONG.
  const options = {
    dialTimeout: times.dial,
    handshakeTimeout: times.handshake,
    idleTimeout: Number.POSITIVE_INFINITY,
  };
  const [a, b, other] = [
    await f.open({
      credentials: await f.backend.credentials('ed25519'),
      options: { ...options, handshakeTimeout: times.dial },
    }),
    await f.open({ credentials: await f.backend.credentials('ed25519'), options }),
    await f.open({ options: { idleTimeout: Number.POSITIVE_INFINITY } }),
  ];
  const relay = await f.relay(b);
  await checkCall(f, other, b);
  return { a, b, other, relay };
}

/**
 * Returns the number of bytes that each end writes before its connection is handed over: the
 * layer's own handshake, without any data of the session.
 */
export async function handshakeLengths(
  f: IdentityFixture,
  { a, relay }: RelayedNodes,
): Promise<Readonly<Record<WritingEnd, number>>> {
  const layer = f.backend.layer(a.credentials);
  relay.tamperings = {};
  const connection = await layer.dial(relay.at, { timeout: 60_000 });
  connection.attach({ data: () => {}, frames: () => {}, drained: () => {}, closed: () => {} });
  await f.quiet();
  const { dialer, acceptor } = relay.last;
  connection.destroy();
  await layer.close();
  return { dialer: dialer.written, acceptor: acceptor.written };
}

export type CallOutcome = 'whole' | 'failed';

/**
 * Makes one call over a wire with the given tamperings. It must either fail with a TransportError
 * and never be dispatched, or succeed completely.
 */
export async function attempt(
  f: IdentityFixture,
  { a, b, relay }: RelayedNodes,
  tamperings: Tamperings,
  what: string,
  step = 3_000,
): Promise<CallOutcome> {
  const { t } = f;
  relay.tamperings = tamperings;
  const served = b.served.length;
  const request = Uint8Array.of(1, served & 0xff, (served >> 8) & 0xff, 4);
  let answer: Uint8Array;
  try {
    answer = await f.drive(
      a.transport.send(relay.at, 'echo', request, { timeout: Number.POSITIVE_INFINITY }),
      step,
    );
  } catch (error) {
    const isTyped =
      error instanceof TransportError &&
      error.sent === false &&
      error.reason !== undefined &&
      error.target === relay.at;
    if (!isTyped) t.fail(`${what}: ${String(error)} (${JSON.stringify(error)})`);
    if (b.served.length !== served) t.fail(`${what}: it was dispatched`);
    return 'failed';
  }
  const call = b.served.at(-1);
  const isRight =
    b.served.length === served + 1 &&
    equalBytes(answer, request) &&
    equalBytes(call!.request, request) &&
    call!.from.nodeId === a.nodeId;
  if (!isRight) t.fail(`${what}: it came up, and is not what was sent`);
  const remote = await a.transport.dial(relay.at);
  if (remote.nodeId !== b.nodeId)
    t.fail(`${what}: the dialer takes the acceptor for ${remote.nodeId}`);
  await f.drive(a.transport.disconnect(relay.at));
  return 'whole';
}

/**
 * Checks that the acceptor still serves others, that the dialer has reported `failures` failed
 * dials since it was opened, and that nothing is left of the failed connections.
 */
export async function checkUnharmed(
  f: IdentityFixture,
  { a, b, other, relay }: RelayedNodes,
  failures: number,
): Promise<void> {
  const { t } = f;
  await f.driveUntil(
    'every connection has ended',
    () => relay.open === 0 && rejections(b, 'in').length + count(b, 'down') >= 1,
  );
  await f.until(
    'the failed connections are forgotten at both ends',
    () =>
      b.transport.snapshot().connections.length === 1 &&
      a.transport.snapshot().connections.length === 0,
  );
  t.is(count(a, 'dialFailed'), failures, 'each failure was told once at the dialer');
  t.is(b.transport.remotes().length, 1, 'only the bystander is left');
  t.is(count(other, 'down'), 0);
  await checkCall(f, other, b);
  relay.tamperings = {};
  await checkCall(f, a, b, relay.at);
}
