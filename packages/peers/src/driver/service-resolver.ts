// Resolves 'service:<name>' to the connected nodes that serve it, and follows the changes.

import {
  type Clock,
  type ClockTimer,
  type Resolver,
  TransportError,
} from '@trunkline/transport-core';
import type { ResolutionObserver } from '@trunkline/transport-core/backend';
import type { ServiceDirectory } from '../services/service-directory.ts';
import { SERVICE_NAME, serviceOf } from '../services/service-name.ts';

/** The resolver of services. */
export class ServiceResolver implements Resolver {
  readonly #directory: ServiceDirectory;
  readonly #clock: Clock;
  readonly #watches = new Set<ServiceWatch>();
  #isChanged = false;

  constructor(directory: ServiceDirectory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  handles(target: string): boolean {
    return serviceOf(target) !== undefined;
  }

  watch(target: string, observer: ResolutionObserver): () => void {
    const service = serviceOf(target);
    if (service === undefined)
      throw new TransportError(
        'invalid_argument',
        `the target '${target}' names no service; write 'service:' and a name of ${SERVICE_NAME}`,
        { target, sent: false },
      );
    const watch = new ServiceWatch(service, observer, this.#directory, this.#clock);
    this.#watches.add(watch);
    this.changed();
    return () => {
      watch.stop();
      this.#watches.delete(watch);
    };
  }

  /** Reports changes at the end of this tick, so that many changes lead to only one report. */
  changed(): void {
    if (this.#isChanged || this.#watches.size === 0) return;
    this.#isChanged = true;
    this.#clock.defer(() => {
      this.#isChanged = false;
      for (const watch of [...this.#watches]) watch.look();
    });
  }
}

/** One watched service. */
class ServiceWatch {
  readonly #service: string;
  readonly #observer: ResolutionObserver;
  readonly #directory: ServiceDirectory;
  readonly #clock: Clock;
  #timer: ClockTimer | undefined;
  /** The nodes of the last report, as text. */
  #reported: string | undefined = undefined;
  #isOver = false;

  constructor(
    service: string,
    observer: ResolutionObserver,
    directory: ServiceDirectory,
    clock: Clock,
  ) {
    this.#service = service;
    this.#observer = observer;
    this.#directory = directory;
    this.#clock = clock;
    // Nodes that have just connected may not have announced their services yet.
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, PATIENCE);
  }

  /** Reports the nodes if they have changed. */
  look(): void {
    if (this.#isOver) return;
    const nodes = this.#directory.nodes(this.#service);
    if (nodes.length === 0 && this.#timer !== undefined) return;
    this.#clearTimer();
    const key = nodes.join();
    if (key === this.#reported) return;
    this.#reported = key;
    this.#observer.resolved(nodes.map((nodeId) => ({ address: `node:${nodeId}` })));
  }

  stop(): void {
    this.#isOver = true;
    this.#clearTimer();
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Milliseconds before the first report may say that no node serves a service: an announcement
 * arrives half a round trip after the peer is up.
 */
const PATIENCE = 1_000;
