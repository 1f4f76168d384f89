// Tests of what a layer tells its signal: while the layer uses it, and no longer.

import { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import type { Signal } from './signal.ts';
import { createFakeRtc } from './testing/fake-rtc.ts';
import { createWebRtcStreamLayer } from './webrtc.ts';

test('a layer uses its signal from its first dial until it closes', async (t) => {
  const { layer, users } = setUp(t);
  const dial = () =>
    t.throwsAsync<TransportError>(layer.dial('webrtc://nobody', { timeout: 1_000 }));
  await layer.close();
  t.is(users(), 0);
  for (let i = 0; i < 2; i++) {
    t.is((await dial())!.reason, 'connection_refused');
    t.is((await dial())!.reason, 'connection_refused');
    t.is(users(), 1);
    await layer.close();
    await layer.close();
    t.is(users(), 0);
  }
});

test('a layer that listens uses its signal until it is no longer registered', async (t) => {
  const { layer, users, state } = setUp(t);
  for (let i = 0; i < 2; i++) {
    await layer.listen(() => {});
    t.is(users(), 1);
    state.onUnlisten = () => t.is(users(), 1, 'it unregisters first');
    await layer.close();
    t.is(users(), 0);
  }
});

test('a layer does not use its signal after listening failed, or was lost for good', async (t) => {
  const { layer, users, state } = setUp(t);
  state.refusal = new TransportError('unavailable', 'the hub is away');
  await t.throwsAsync(layer.listen(() => {}));
  t.is(users(), 0);
  state.refusal = undefined;
  await layer.listen(
    () => {},
    () => {},
  );
  state.fail(new TransportError('already_exists', 'taken'));
  t.is(users(), 0);
  await layer.close();
  t.is(users(), 0);
});

test('a layer that closes while it begins to listen stops using its signal', async (t) => {
  const { layer, users } = setUp(t);
  const listening = t.throwsAsync<TransportError>(layer.listen(() => {}));
  t.is(users(), 1);
  await layer.close();
  t.is((await listening)!.code, 'shutdown');
  t.is(users(), 0);
});

function setUp(t: ExecutionContext) {
  let users = 0;
  const inner = createMemorySignaling().signal('ada');
  const state = {
    refusal: undefined as TransportError | undefined,
    fail: (_error: TransportError): void => {},
    onUnlisten: () => {},
  };
  const signal: Signal = {
    nodeId: 'ada',
    open: (target, options) => inner.open(target, options),
    async listen(accept, failed) {
      if (state.refusal !== undefined) throw state.refusal;
      state.fail = failed!;
      await inner.listen(accept);
    },
    async unlisten() {
      state.onUnlisten();
      await inner.unlisten();
    },
    ref(on) {
      users += on ? 1 : -1;
    },
  };
  const rtc = createFakeRtc();
  const layer = createWebRtcStreamLayer({ signal, rtc, clock: createManualClock() });
  t.teardown(() => layer.close());
  return { layer, users: () => users, state };
}
