// The part of a cluster that runs in a worker. It notifies the primary once the worker serves,
// answers the primary's questions, and takes the transport out of service when the worker leaves.

import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { drain } from '@trunkline/resilience/health';
import type { Metrics } from '@trunkline/telemetry';
import type { AnyTransport } from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { clusterSlot } from './cluster-slot.ts';
import {
  MOST_CONNECTIONS,
  type Question,
  TAG,
  type ToWorker,
  type TransportState,
} from './messages.ts';
import { linkToPrimary, type PrimaryLink } from './primary-link.ts';

/** Options of `joinCluster`; all are optional. */
export interface JoinClusterOptions {
  /** The metrics of this worker, which `cluster.metrics` of the primary collects. */
  readonly metrics?: Pick<Metrics, 'collect'> | undefined;
  /**
   * Servers of your own that listen on a shared port, such as the HTTP server of `ws({ server })`.
   * They are closed when the worker begins to leave, so that other workers get new connections.
   */
  readonly servers?: readonly { close(): unknown }[] | undefined;
  /**
   * Called when the worker leaves, after its calls have ended and before the transport closes.
   * Close gossip, peers, servers and everything else here that keeps the process alive. Errors are
   * ignored.
   */
  readonly beforeClose?: (() => unknown) | undefined;
  /**
   * True to leave on SIGTERM and SIGINT, if the worker is a process. A second signal of the same
   * kind ends the process immediately, unless the program handles it. Default: true.
   */
  readonly signals?: boolean | undefined;
  /**
   * The time, in milliseconds, that calls in flight get to finish when the worker leaves without
   * being asked by the primary: because of a signal, because of `leave`, or because the primary has
   * ended. Default: 10,000.
   */
  readonly grace?: number | undefined;
}

/** This worker as a member of its cluster. */
export interface ClusterMember {
  /** The number of this worker, from 0; undefined outside of a cluster. */
  readonly slot: number | undefined;
  /** Resolves when the transport is closed because the worker has left. */
  readonly left: Promise<void>;
  /**
   * Leaves the cluster after calls in flight have finished; the primary starts another worker.
   * Returns `left`.
   */
  leave(): Promise<void>;
}

/**
 * Notifies the primary that this worker is serving. Call it once, after `transport.listen()`. From
 * then on, the worker leaves when the primary asks it to, when the primary has ended, or on SIGTERM
 * and SIGINT. To leave, it drains the transport, calls `beforeClose`, and closes the transport. The
 * process ends when nothing else keeps it alive.
 *
 * Outside of a cluster, for example during development, signals are handled in the same way.
 *
 * Throws `failed_precondition` if the transport does not listen, and a TypeError for invalid
 * options.
 */
export function joinCluster(
  transport: AnyTransport,
  options: JoinClusterOptions = {},
): ClusterMember {
  const { grace, signals } = parseOptions(schema, options, 'joinCluster');
  const member = new Member(transport, { ...options, grace });
  member.join(transport.localAddrs());
  if (signals && isMainThread)
    for (const signal of SIGNALS) process.once(signal, () => void member.leave());
  return member;
}

class Member implements ClusterMember {
  readonly slot = clusterSlot();
  readonly left: Promise<void>;
  readonly #transport: AnyTransport;
  readonly #options: JoinClusterOptions & { readonly grace: number };
  #link: PrimaryLink | undefined = undefined;
  #isLeaving = false;
  #hasLeft!: () => void;

  constructor(transport: AnyTransport, options: JoinClusterOptions & { readonly grace: number }) {
    this.#transport = transport;
    this.#options = options;
    this.left = new Promise((resolve) => (this.#hasLeft = resolve));
  }

  join(addresses: readonly string[]): void {
    this.#link = linkToPrimary({
      message: (message) => this.#hear(message),
      lost: () => this.#leave(this.#options.grace, true),
    });
    this.#link?.send({ ...TAG, type: 'joined', addresses });
  }

  leave(): Promise<void> {
    const { grace } = this.#options;
    // JSON has no Infinity.
    const finite = Math.min(grace, 0x7fff_ffff);
    if (!this.#isLeaving) this.#link?.send({ ...TAG, type: 'leaving', grace: finite });
    this.#leave(grace, this.#link === undefined);
    return this.left;
  }

  #hear(message: ToWorker): void {
    if (message.type === 'ping') this.#link?.send({ ...TAG, type: 'pong' });
    else if (message.type === 'leave') this.#leave(message.grace, message.refuse);
    else this.#answer(message.what);
  }

  #answer(what: Question): void {
    try {
      const value = what === 'snapshot' ? this.#state() : (this.#options.metrics?.collect() ?? []);
      this.#link?.send({ ...TAG, type: 'answer', what, value });
    } catch (error) {
      this.#link?.send({ ...TAG, type: 'answer', what, error: String(error) });
    }
  }

  #state(): TransportState {
    const snapshot = this.#transport.snapshot();
    const { length } = snapshot.connections;
    const connections = snapshot.connections.slice(0, MOST_CONNECTIONS);
    return { connections: length, transport: { ...snapshot, connections } };
  }

  #leave(grace: number, refuse: boolean): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    void this.#end(grace, refuse);
  }

  /** Never rejects. */
  async #end(grace: number, refuse: boolean): Promise<void> {
    try {
      for (const server of this.#options.servers ?? []) server.close();
      await drain(this.#transport, { grace, refuse });
      await this.#options.beforeClose?.();
    } catch {
      // Errors of `beforeClose` are ignored, as documented. The transport is closed in any case.
    }
    await this.#transport.close({ grace: LAST_GRACE }).catch(() => {});
    this.#link?.end();
    this.#hasLeft();
  }
}

const schema = optionsSchema({
  metrics: option.optional(
    option.reference<Pick<Metrics, 'collect'>>(
      (value) => typeof (value as Metrics | null)?.collect === 'function',
      'metrics made by createMetrics',
    ),
  ),
  servers: option.optional(
    option.reference<readonly { close(): unknown }[]>(
      (value) => Array.isArray(value) && value.every((each) => typeof each?.close === 'function'),
      'a list of servers',
    ),
  ),
  beforeClose: option.optional(option.callback<() => unknown>()),
  signals: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    true,
  ),
  grace: option.withDefault(
    option.reference<number>(
      (value) => typeof value === 'number' && value >= 0,
      'milliseconds, 0 or more',
    ),
    10_000,
  ),
});

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** The time, in milliseconds, that callers have to leave the connections of a drained transport. */
const LAST_GRACE = 1_000;
