// Tests of the relay for nodes without a direct path.

import { TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { RelayFallback } from './relay-fallback.ts';
import type { WebRtcStreamLayer } from './webrtc-layer.ts';

const OPTIONS: DialOptions = { timeout: 10_000 };

for (const [name, error] of [
  ['ICE failed', new TransportError('unavailable', 'no path')],
  ['the direct path took too long', reasonError('dial_timeout', 'late')],
] as const)
  test(`the relay is dialed if ${name}, with the time that is left`, async (t) => {
    const clock = createManualClock();
    const direct = layer(async (_, { timeout }) => {
      t.is(timeout, 6_000);
      clock.advance(5_000);
      throw error;
    }, clock);
    const relay = layer(async (address, { timeout, nodeId }) => {
      t.deepEqual([address, timeout, nodeId], ['ada', 5_000, 'ada']);
      return connection('relay:ada');
    });
    const dialed = await new RelayFallback(direct, relay).dial('webrtc://ada', OPTIONS);
    t.is(dialed.endpoint, 'relay:ada');
  });

for (const [name, error] of [
  ['nobody is there', reasonError('connection_refused', 'nobody')],
  ['another node answered', reasonError('identity_mismatch', 'another')],
  ['the node refused', new TransportError('unavailable', 'no', { origin: 'remote' })],
  ['the layer is closed', new TransportError('shutdown', 'closed')],
] as const)
  test(`the relay is not dialed if ${name}`, async (t) => {
    const direct = layer(() => Promise.reject(error));
    const fallback = new RelayFallback(
      direct,
      layer(() => t.fail() as never),
    );
    t.is(await t.throwsAsync(fallback.dial('webrtc://ada', OPTIONS)), error);
  });

test('a direct path needs no relay', async (t) => {
  const direct = layer(async () => connection('webrtc://ada'));
  const fallback = new RelayFallback(
    direct,
    layer(() => t.fail() as never),
  );
  t.is((await fallback.dial('webrtc://ada', OPTIONS)).endpoint, 'webrtc://ada');
});

test('close ends a dial over the relay, and refuses what the relay accepts later', async (t) => {
  const direct = layer(() => Promise.reject(new TransportError('unavailable', 'no path')));
  let isDialing = () => {};
  const dialing = new Promise<void>((resolve) => {
    isDialing = resolve;
  });
  const relay = layer((_, { signal }) => {
    isDialing();
    return new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason)),
    );
  });
  let accept: (connection: StreamConnection) => void = () => {};
  relay.listen = async (given) => {
    accept = given;
  };
  const fallback = new RelayFallback(direct, relay);
  const accepted: string[] = [];
  await fallback.listen(({ endpoint }) => accepted.push(endpoint));
  accept(connection('relay:bob'));
  const dial = t.throwsAsync(fallback.dial('webrtc://ada', OPTIONS));
  await dialing;
  await fallback.close();
  t.is(((await dial) as TransportError).code, 'shutdown');
  const late = connection('relay:cyd');
  accept(late);
  t.true(late.isDestroyed);
  t.deepEqual(accepted, ['relay:bob']);
});

test('close while listen is pending leaves nothing bound, and the layer can listen again', async (t) => {
  const bound = new Set<string>();
  const direct = layer(() => t.fail() as never);
  direct.listen = async () => void bound.add('direct');
  direct.close = async () => void bound.delete('direct');
  const relay = layer(() => t.fail() as never);
  let isListening = () => {};
  let accept: (connection: StreamConnection) => void = () => {};
  relay.listen = (given) => {
    accept = given;
    return new Promise((resolve) => {
      isListening = resolve;
    });
  };
  const fallback = new RelayFallback(direct, relay);
  const accepted: string[] = [];
  const listen = () => fallback.listen(({ endpoint }) => accepted.push(endpoint));
  const listening = t.throwsAsync(listen());
  await fallback.close();
  await new Promise((resolve) => setImmediate(resolve));
  isListening();
  t.is(((await listening) as TransportError).code, 'shutdown');
  t.deepEqual([...bound], []);
  accept(connection('relay:bob'));
  t.deepEqual(accepted, []);
  const again = listen();
  await new Promise((resolve) => setImmediate(resolve));
  isListening();
  await again;
  accept(connection('relay:bob'));
  t.deepEqual(accepted, ['relay:bob']);
});

test('close before the direct layer listens leaves the relay alone', async (t) => {
  const direct = layer(() => t.fail() as never);
  let isListening = () => {};
  direct.listen = () =>
    new Promise((resolve) => {
      isListening = resolve;
    });
  const relay = layer(() => t.fail() as never);
  relay.listen = () => t.fail() as never;
  const fallback = new RelayFallback(direct, relay);
  const listening = t.throwsAsync(fallback.listen(() => {}));
  await fallback.close();
  isListening();
  t.is(((await listening) as TransportError).code, 'shutdown');
});

function layer(dial: StreamLayer['dial'], clock = createManualClock()): WebRtcStreamLayer {
  return {
    clock,
    dial,
    updatePeers() {},
    listen: async () => {},
    close: async () => {},
    localAddr: () => 'webrtc://me',
    advertiseAddr: () => 'webrtc://me',
  };
}

/** A connection that does nothing. */
function connection(endpoint: string): StreamConnection & { isDestroyed: boolean } {
  return {
    endpoint,
    isDestroyed: false,
    attach() {},
    write: () => true,
    pause() {},
    resume() {},
    close() {},
    destroy() {
      this.isDestroyed = true;
    },
  };
}
