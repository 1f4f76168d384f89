// What the transport suite needs to know of a backend, and nothing else: how to make a transport, and what it can't do.

import type { AnyTransport, CommonOptions, Protocol, StreamLayer, Transport } from '@trunkline/transport-core';
import type { TestContext, TestFunction } from '../test-runner.ts';

/** One way to carry a Transport, as the suite makes and joins its ends. */
export interface TransportBackend {
  /** Stands before each title: 'tcp'. */
  readonly name: string;
  /**
   * Makes a transport that does not listen yet. The suite gives protocol, clock and observer, and what the case is about; the
   * backend picks an address that is free (port 0) where `place` names none.
   */
  create<P extends Protocol>(options: CommonOptions & { protocol: P }, place?: Place): Transport<P>;
  /** Lets both ends dial each other, where an address alone is not enough (the direct in-memory transport). Called again after `disconnect`. */
  link?(a: AnyTransport, b: AnyTransport): void;
  /** A well-formed address where nobody listens and nobody will. */
  unreachable(): string;
  /** An address that can be bound but not be told to others: '0.0.0.0:0'. Absent where a backend knows none. */
  readonly unspecified?: string;
  /** Its connections prove who is at their other end (TLS, noise), each transport as a node of its own: `remote.nodeId` is there. */
  readonly proves?: boolean;
  /**
   * What keeps the process alive, by name: `process.getActiveResourcesInfo` in Node. With it, and with `collect` (a garbage collection),
   * the suite finds leaked handles and a heap that grows; `nodeProbe(process)` is Node's.
   */
  readonly probe?: Probe | undefined;
  /** Titles that this backend can't pass → why; at most 5. An unknown title, or one without a reason, is a TypeError. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** Where a transport stands. */
export interface Place {
  /** The exact address, as `localAddr()` of an earlier transport, or `unspecified`. */
  readonly address?: string | undefined;
  /** The option of that name. */
  readonly advertiseAddr?: string | undefined;
  /** Stands between the transport and its stream layer: so the suite freezes and cuts connections. */
  readonly wrap?: ((layer: StreamLayer) => StreamLayer) | undefined;
}

/** A look at the runtime from outside. */
export interface Probe {
  resources(): readonly string[];
  heapUsed(): number;
  collect?: (() => void) | undefined;
}

/** AVA's `test`, or an adapter of another runner's. What is `serial` runs with no other case beside it. */
export interface TransportTest extends TestFunction {
  serial?: (title: string, run: (t: TestContext) => void | Promise<void>) => void;
}
