// Secured layers over layers driven by hand, and the other ends of their connections.

import type { Random } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { createNoiseStreamLayer } from '../create-noise-stream-layer.ts';
import { suite } from '../primitives.node.ts';
import type { Greeting } from '../wire/greeting.ts';
import { ada, bob, greeting } from './greetings.ts';
import { ManualHandshakes, ManualLayer } from './manual-layer.ts';
import { ManualStream } from './manual-stream.ts';

/** Returns a secured layer that listens, over a layer driven by hand. */
export async function listening({
  answer = 'enter',
}: {
  answer?: ManualHandshakes['answer'];
} = {}) {
  const clock = createManualClock();
  const layer = new ManualLayer();
  const handshakes = new ManualHandshakes(() => clock.now());
  handshakes.answer = answer;
  const noise = createNoiseStreamLayer(layer, { identity: bob, clock });
  const accepted: { connection: StreamConnection; slot: unknown }[] = [];
  await noise.listen((connection, slot) => accepted.push({ connection, slot }), undefined, {
    timeout: 1_000,
    handshakes,
  });
  return { clock, layer, handshakes, noise, accepted };
}

/** Returns a secured layer that dials, over a layer driven by hand. */
export function dialing(options: { allow?: string[]; deny?: string[]; random?: Random } = {}) {
  const clock = createManualClock();
  const layer = new ManualLayer();
  const noise = createNoiseStreamLayer(layer, { identity: ada, clock, ...options });
  return { clock, layer, noise };
}

/** Completes a dial of the underlying layer, by default the last one. */
export async function connect(
  layer: ManualLayer,
  more: object = {},
  n = layer.dials.length - 1,
): Promise<ManualStream> {
  const wire = Object.assign(new ManualStream(), more);
  layer.dials[n]!.connected(wire);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return wire;
}

/** Performs the whole handshake as the dialer. */
export function completeHandshake(wire: ManualStream) {
  const dialer = greeting({ suite, role: 'initiator' });
  wire.sink.data(dialer.begin());
  return answerTo(wire, dialer);
}

export function answerTo(wire: ManualStream, dialer: Greeting) {
  const step = dialer.receive(wire.written.at(-1)!)!;
  wire.sink.data(step.send!);
  return step.done!;
}

/** Performs the whole handshake as the responder. */
export function answer(
  wire: ManualStream,
  responder = greeting({ suite, role: 'responder' }),
): void {
  wire.sink.data(responder.receive(wire.written.at(-1)!)!.send!);
}
