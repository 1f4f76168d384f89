// The suites of the testkit on one carrier in a page.

import type { Clock } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import {
  createTransitWatch,
  streamLayerSuite,
  type TransportTest,
  transportSuite,
} from '@trunkline/transport-testkit';
import type { Place } from '../node-calls.ts';

export type CreateLayer = (place: Place, clock?: Clock) => StreamLayer;

export type Skips = Readonly<Record<string, string>>;

export interface Carrier {
  readonly name: string;
  /** Returns a function that creates layers which reach each other. */
  readonly realm: () => CreateLayer;
  readonly malformed: readonly string[];
  readonly unreachable: string;
  readonly unspecified?: string;
  /** Cases of the stream layer suite that cannot hold in a page, each with the reason. */
  readonly skip?: Skips;
  /** The same for the transport suite. */
  readonly skipTransport?: Skips;
}

/** Declares the stream layer suite. */
export function streamLayers(test: TransportTest, carrier: Carrier): void {
  const { name, realm, malformed, skip } = carrier;
  streamLayerSuite(test, {
    name: `${name}, streams`,
    stallTimeout: STALL_TIMEOUT,
    make: ({ clock }) => {
      const layer = realm();
      return {
        layer: (bindAddr, advertiseAddr) => layer({ bindAddr, advertiseAddr }, clock),
        malformed,
      };
    },
    skip: skip ?? {},
  });
}

/** Declares the transport suite. */
export function transports(test: TransportTest, carrier: Carrier): void {
  const { name, realm, unreachable, unspecified, skipTransport } = carrier;
  const layer = realm();
  const transit = createTransitWatch({ lostAfter: LOST_AFTER });
  transportSuite(test, {
    name,
    create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
      const stream = transit.watch(layer({ bindAddr, advertiseAddr }, options.clock));
      return new NetworkTransport({ ...options, stream: wrap?.(stream) ?? stream });
    },
    isBusy: transit.isBusy,
    stallTimeout: STALL_TIMEOUT,
    unreachable: () => unreachable,
    ...(unspecified === undefined ? {} : { unspecified }),
    skip: {
      'hundreds of transports that open, call and close leave no handles and no heap behind': PROBE,
      'hundreds of connections that open and close leave nothing behind at either end': PROBE,
      ...skipTransport,
    },
  });
}

const PROBE = 'pages have no probe of handles, and a thousand cycles take a minute';
/**
 * The real milliseconds without an event after which a case counts as hanging. The page may have
 * time to spare while Node or the browser's other processes are busy, and DTLS repeats lost packets
 * after 1, 3, 7 and 15 s.
 */
const STALL_TIMEOUT = 30_000;
/** The real milliseconds after which bytes on their way count as lost, for the same reasons. */
const LOST_AFTER = 20_000;
