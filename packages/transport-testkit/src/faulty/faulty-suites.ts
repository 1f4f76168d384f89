// Runs the suites on stream layers that `faulty` wraps, without faults and over a line with a
// delay. This tests both the wrapper on a backend and the backend over slow lines.

import { type CommonOptions, systemClock } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import {
  type StreamLayerSuiteOptions,
  streamLayerSuite,
} from '../stream-layer/stream-layer-suite.ts';
import type { TestFunction } from '../test-runner.ts';
import type { TransportBackend, TransportPlace, TransportTest } from '../transport/backend.ts';
import { transportSuite } from '../transport/transport-suite.ts';
import { faulty } from './faulty.ts';

/** A backend whose transports consist of a stream layer. */
export interface FaultyTransportBackend extends Omit<TransportBackend, 'create' | 'link'> {
  /** Creates the layer of a transport with these options; the suite wraps it. */
  layer(options: CommonOptions, place: TransportPlace): StreamLayer;
}

/**
 * Declares all cases of `transportSuite` twice: without faults, and over a line with a delay, where
 * two cases are skipped. These two count toward the seven that `skip` may name. The titles begin
 * with 'faulty'.
 */
export function faultyTransportSuite(
  test: TransportTest,
  { layer, ...backend }: FaultyTransportBackend,
): void {
  for (const isSlow of [false, true]) {
    const faults = isSlow ? { clock: systemClock, delay: 1, jitter: 1 } : {};
    transportSuite(test, {
      ...backend,
      name: titleOf(backend.name, isSlow),
      create(options, place = {}) {
        const stream = faulty(layer(options, place), faults);
        return new NetworkTransport({ ...options, stream: place.wrap?.(stream) ?? stream });
      },
      skip: { ...(isSlow && TOO_MANY_DIALS), ...backend.skip },
    });
  }
}

/**
 * Declares all cases of `streamLayerSuite` twice: without faults, and over a line with a delay,
 * where two cases are skipped. These two count toward the seven that `skip` may name. The titles
 * begin with 'faulty'.
 */
export function faultyStreamLayerSuite(
  test: TestFunction,
  { name, make, skip, ...options }: StreamLayerSuiteOptions,
): void {
  for (const isSlow of [false, true]) {
    const faults = isSlow ? { clock: systemClock, delay: 1, jitter: 2 } : {};
    streamLayerSuite(test, {
      ...options,
      name: titleOf(name, isSlow),
      async make(given) {
        const backend = await make(given);
        return {
          malformed: backend.malformed,
          layer: (...place) => faulty(backend.layer(...place), faults),
          close: () => backend.close?.(),
        };
      },
      skip: { ...(isSlow && ON_MANUAL_CLOCK), ...skip },
    });
  }
}

function titleOf(name: string, isSlow: boolean): string {
  return `faulty ${name}${isSlow ? ' with a delay' : ''}`;
}

const SLOW =
  'dials and closes over a line with a delay are slow, and so many take longer than a case may';
const TOO_MANY_DIALS = {
  'hundreds of transports that open, call and close leave no handles and no heap behind': SLOW,
  'hundreds of connections that open and close leave nothing behind at either end': SLOW,
};
const TWO_CLOCKS = 'the delays run on the system clock, and the case on a manual one';
const ON_MANUAL_CLOCK = {
  'a dial that takes longer than its timeout fails with dial_timeout, and leaves no connection behind':
    TWO_CLOCKS,
  'close waits at most a second or two for the other end to close': TWO_CLOCKS,
};
