// Tests of connections over a TURN server, which both ends must use.

import process from 'node:process';
import { createIdentity } from '@trunkline/security';
import { createTransport, serve, type TransportError } from '@trunkline/transport-core';
import test, { type ExecutionContext, registerCompletionHandler } from 'ava';
import * as werift from 'werift';
import { createMemorySignaling } from './memory-signaling.ts';
import type { RtcIceServer, RtcLibrary } from './rtc.ts';
import { echo as protocol } from './testing/echo.ts';
import { lyingSignal } from './testing/lying-signal.ts';
import { startTurnServer, type TurnServer, unable } from './testing/turn-server.ts';
import { webrtc } from './webrtc.ts';

const PURE = werift as unknown as RtcLibrary;
const reason = unable();

// A timer of werift's TURN client continues to run for 500 s after the connection was closed.
// biome-ignore lint/nursery/noJsRestrictedProperties: the process would not end by itself
registerCompletionHandler(() => process.exit());

for (const [name, near, far] of [
  ['node-datachannel', undefined, undefined],
  ['werift', PURE, PURE],
  ['node-datachannel to werift', undefined, PURE],
  ['werift to node-datachannel', PURE, undefined],
] as const)
  withTurn(
    `${name}: calls over TURN, and no address but the relay's is signaled`,
    async (t, turn) => {
      const { dialer, listener, candidates } = await pair(t, turn.iceServer, [near, far]);
      const request = new Uint8Array(200_000).fill(7);
      // werift needs many seconds for a path if the machine is busy.
      const answer = dialer.send(listener.localAddr(), 'echo', request, { timeout: 60_000 });
      t.deepEqual(await answer, request);
      t.true(candidates.size >= 2);
      for (const candidate of candidates) t.regex(candidate, / typ relay/);
    },
  );

withTurn('a wrong password for TURN: the dial fails while it looks for a path', async (t, turn) => {
  const wrong = { ...turn.iceServer, credential: 'wrong' };
  const { dialer, listener } = await pair(t, wrong, [undefined, undefined], 3_000);
  const dial = dialer.dial(listener.localAddr());
  const error = await t.throwsAsync<TransportError>(dial);
  t.is(error!.reason, 'dial_timeout');
  t.regex(error!.message, /while looking for a path \(ICE\)/);
});

/** A node that dials another one; both may use only this server. */
async function pair(
  t: ExecutionContext,
  server: RtcIceServer,
  [near, far]: readonly [RtcLibrary | undefined, RtcLibrary | undefined],
  dialTimeout = 60_000,
) {
  const signaling = createMemorySignaling();
  const candidates = new Set<string>();
  const node = (rtc: RtcLibrary | undefined) => {
    const identity = createIdentity();
    const signal = lyingSignal(signaling.signal(identity.nodeId), (message) => {
      const text: string = message.candidate ?? message.sdp;
      for (const [candidate] of text.matchAll(/candidate:.*/g)) candidates.add(candidate);
      return [message];
    });
    const iceTransportPolicy = 'relay';
    const transport = createTransport('webrtc://0', {
      protocol,
      backends: [webrtc({ signal, identity, rtc, iceServers: [server], iceTransportPolicy })],
      dialTimeout,
      handshakeTimeout: 60_000,
    });
    serve(transport, { echo: (echoed) => echoed });
    t.teardown(() => transport.close());
    return transport;
  };
  const [dialer, listener] = [node(near), node(far)];
  await listener.listen();
  return { dialer, listener, candidates };
}

/** Defines a test with a TURN server, which is skipped if none can be started. */
function withTurn(
  title: string,
  run: (t: ExecutionContext, turn: TurnServer) => Promise<void>,
): void {
  if (reason !== undefined) return void test.skip(`${title} (skipped: ${reason})`, () => {});
  test.serial(title, async (t) => {
    const turn = await startTurnServer();
    t.teardown(() => turn.stop());
    await run(t, turn);
  });
}
