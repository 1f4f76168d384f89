// The interface of a backend under test in the transport suite: how to make a transport, and which
// cases it cannot pass.

import type {
  AnyTransport,
  Clock,
  CommonOptions,
  Protocol,
  Transport,
} from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import type { TestContext, TestFunction } from '../test-runner.ts';

/** One implementation of Transport, as the suite creates and links its ends. */
export interface TransportBackend {
  /** Prefix of each title: 'tcp'. */
  readonly name: string;
  /**
   * Creates a transport that does not listen yet. The suite passes protocol, clock and observer,
   * and the options of the case. If `place` names no address, the backend picks a free one (port
   * 0).
   */
  create<P extends Protocol>(
    options: CommonOptions & { protocol: P },
    place?: TransportPlace,
  ): Transport<P>;
  /**
   * Lets both ends dial each other, if an address alone is not enough (the direct in-memory
   * transport). Called again after `disconnect`.
   */
  link?(a: AnyTransport, b: AnyTransport): void;
  /** Returns a well-formed address at which nobody listens, now or later. */
  unreachable(): string;
  /**
   * An address that can be bound but not advertised: '0.0.0.0:0'. Omitted if the backend has none.
   */
  readonly unspecified?: string;
  /**
   * True if connections prove the identity of their ends (TLS, Noise), each transport as a node of
   * its own; then `remote.nodeId` is set.
   */
  readonly proves?: boolean;
  /**
   * Returns true while connections of transports with this clock are made or carry bytes outside
   * the event loop; the suite's clocks stand still during that time. `createTransitWatch` makes
   * one.
   */
  isBusy?(clock: Clock): boolean;
  /**
   * The real time, in milliseconds, without an event after which a case counts as hanging. Default:
   * 4,500; more than 30,000 has no effect. Set more if it may take seconds to make a connection,
   * and more than the `lostAfter` of a transit watch.
   */
  readonly stallTimeout?: number | undefined;
  /**
   * Returns the names of the resources that keep the process alive:
   * `process.getActiveResourcesInfo` in Node. With it, and with `collect` (a garbage collection),
   * the suite finds leaked handles and a growing heap. `nodeProbe(process)` is Node's.
   */
  readonly probe?: ProcessProbe | undefined;
  /**
   * Cases that this backend cannot pass: title → reason; at most 7. An unknown title or a missing
   * reason throws a TypeError.
   */
  readonly skip?: Readonly<Record<string, string>>;
}

/** The address of a transport. */
export interface TransportPlace {
  /** The exact address: `localAddr()` of an earlier transport, or `unspecified`. */
  readonly address?: string | undefined;
  /** The transport's option `advertiseAddr`. */
  readonly advertiseAddr?: string | undefined;
  /**
   * Wraps the stream layer of the transport, so that the suite can freeze and abort connections.
   * `create` must use the result instead of the layer.
   */
  readonly wrap?: ((layer: StreamLayer) => StreamLayer) | undefined;
}

/** Measurements of the runtime. */
export interface ProcessProbe {
  resources(): readonly string[];
  heapUsed(): number;
  collect?: (() => void) | undefined;
}

/**
 * AVA's `test`, or an adapter of another runner's. A `serial` case runs while no other case runs;
 * without `serial`, the cases that measure leaks run beside others and may fail.
 */
export interface TransportTest extends TestFunction {
  serial?: (title: string, run: (t: TestContext) => void | Promise<void>) => void;
}
