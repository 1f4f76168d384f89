// The environment of a stream layer case: layers of the backend, which are closed when the case
// ends, and pairs of connections.

import type { Clock } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import type { ManualClock } from '@trunkline/transport-core/testing';
import { spareAddress } from '../spare-address.ts';
import type { TestContext } from '../test-runner.ts';
import { CaseWaits } from '../waits/case-waits.ts';
import { nameLayerWaits } from '../waits/name-waits.ts';
import { Recorder } from './recorder.ts';

/** The backend under test, created for each try of a case (`unlessTaken`). */
export interface StreamLayerBackend {
  /**
   * Creates a layer. Without `bindAddr` it listens at a free address that the layer or the system
   * picks.
   */
  layer(bindAddr?: string, advertiseAddr?: string): StreamLayer;
  /** Addresses that `dial` must refuse with `invalid_argument`. */
  readonly malformed: readonly string[];
  /** Runs after the case. */
  close?(): void | Promise<void>;
}

/** The backend under test, and the cases that do not apply to it. */
export interface StreamLayerSuiteOptions {
  /** Prefix of the titles: 'tcp'. */
  readonly name: string;
  /**
   * Creates the backend of one case. Its layers must use `clock`, which stands still unless a case
   * advances it, so nothing times out on a busy machine.
   */
  make(options: { clock: Clock }): StreamLayerBackend | Promise<StreamLayerBackend>;
  /**
   * The real time, in milliseconds, without an event after which a case counts as hanging; at most
   * 30,000. Default: 4,500. Set more if it may take seconds to make a connection.
   */
  readonly stallTimeout?: number | undefined;
  /**
   * Cases that are not run: title → reason; at most 7. An unknown title or a missing reason throws
   * a TypeError.
   */
  readonly skip?: Readonly<Record<string, string>> | undefined;
}

/** A rule of the StreamLayer interface, and the case that checks it. */
export interface Rule {
  readonly title: string;
  run(t: TestContext, fixture: StreamLayerFixture): Promise<void>;
}

/** Two ends of one connection. */
export interface ConnectionPair {
  /** The end that dialed. */
  readonly near: Recorder;
  /** The end that was accepted. */
  readonly far: Recorder;
  /** The layer that accepted. */
  readonly listening: Listening;
}

/** A layer that listens, and the connections it accepted. */
export interface Listening {
  readonly layer: StreamLayer;
  readonly address: string;
  readonly accepted: Recorder[];
  /** Resolves with the n-th accepted connection, from 0. Only one call may wait for each. */
  accept(n: number): Promise<Recorder>;
}

export class StreamLayerFixture {
  readonly clock: ManualClock;
  readonly backend: StreamLayerBackend;
  readonly #layers: StreamLayer[] = [];
  readonly #recorders: Recorder[] = [];
  /** The case's waits on these layers and connections. */
  readonly waits: CaseWaits;

  constructor(clock: ManualClock, backend: StreamLayerBackend, stallTimeout?: number) {
    this.clock = clock;
    this.backend = backend;
    this.waits = new CaseWaits(stallTimeout);
  }

  layer(bindAddr?: string, advertiseAddr?: string): StreamLayer {
    const layer = nameLayerWaits(this.backend.layer(bindAddr, advertiseAddr), this.waits);
    this.#layers.push(layer);
    return layer;
  }

  /** Starts a layer that listens and attaches to every accepted connection. */
  async listen(layer: StreamLayer = this.layer()): Promise<Listening> {
    const accepted: Recorder[] = [];
    const waiters = new Map<number, (recorder: Recorder) => void>();
    await layer.listen((connection) => {
      const recorder = this.record(connection);
      waiters.get(accepted.length)?.(recorder);
      accepted.push(recorder);
    });
    const accept = (n: number): Promise<Recorder> =>
      this.waits.of(
        `the accepted connection ${n}`,
        new Promise((resolve) =>
          accepted[n] === undefined ? waiters.set(n, resolve) : resolve(accepted[n]),
        ),
      );
    return { layer, address: layer.localAddr(), accepted, accept };
  }

  /** Dials and attaches. Default of `layer`: a new one for each dial. */
  async dial(
    address: string,
    layer: StreamLayer = this.layer(),
    copies = false,
  ): Promise<Recorder> {
    return this.record(await layer.dial(address, { timeout: 10_000 }), copies);
  }

  async pair(): Promise<ConnectionPair> {
    const listening = await this.listen();
    const near = await this.dial(listening.address);
    return { near, far: await listening.accept(0), listening };
  }

  /** Returns an address where nobody listens. */
  async nobody(): Promise<string> {
    const picked = await this.listen();
    await picked.layer.close();
    const { layer, address } = await this.listen(this.layer(spareAddress(picked.address)));
    await layer.close();
    return address;
  }

  record(connection: StreamConnection, copies = false): Recorder {
    const recorder = new Recorder(connection, copies);
    this.#recorders.push(recorder);
    this.waits.add({ waits: () => recorder.waits(), bytes: () => recorder.size });
    return recorder;
  }

  async close(): Promise<void> {
    for (const { connection } of this.#recorders) connection.destroy();
    await Promise.all(this.#layers.map((layer) => layer.close()));
    await this.backend.close?.();
  }
}
