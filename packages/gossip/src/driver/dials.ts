// Dials nodes by their ids for callers that wait for the connection. There is one dial per node and
// a limited number of dials at once, each with a timeout.

import { type AnyTransport, TransportError } from '@trunkline/transport-core';
import { inMs } from '@trunkline/transport-core/backend';

export class Dials {
  readonly #transport: AnyTransport;
  readonly #isHere: (nodeId: string) => boolean;
  readonly #mayDial: (nodeId: string) => boolean;
  readonly #under = new Map<string, Promise<void>>();
  /** One controller per dial: a shared signal would collect a listener for each dial. */
  readonly #dialing = new Set<AbortController>();
  #isOver = false;

  /**
   * @param isHere returns true if the node is connected now
   * @param mayDial returns true if gossip may dial the node of its own accord
   */
  constructor(
    transport: AnyTransport,
    isHere: (nodeId: string) => boolean,
    mayDial: (nodeId: string) => boolean,
  ) {
    this.#transport = transport;
    this.#isHere = isHere;
    this.#mayDial = mayDial;
  }

  /**
   * Like `reach`, but for a dial that the user did not request: banned nodes are not dialed, and in
   * a fixed topology only listed nodes are.
   */
  seek(nodeId: string, timeout: number): Promise<void> {
    if (this.#isHere(nodeId) || this.#mayDial(nodeId)) return this.reach(nodeId, timeout);
    const message = `node ${nodeId} is not dialed: it is banned, or the topology is fixed and does not list it`;
    return Promise.reject(
      new TransportError('failed_precondition', message, { target: nodeId, sent: false }),
    );
  }

  /** Connects to a node. Resolves when it is connected. */
  reach(nodeId: string, timeout: number): Promise<void> {
    if (this.#isHere(nodeId)) return Promise.resolve();
    const under = this.#under.get(nodeId);
    if (under !== undefined) return under;
    if (this.#under.size >= AT_ONCE) {
      return Promise.reject(
        new TransportError('resource_exhausted', `${AT_ONCE} nodes are already being dialed`, {
          target: nodeId,
          sent: false,
        }),
      );
    }
    const dial = this.#dial(nodeId, timeout).finally(() => this.#under.delete(nodeId));
    this.#under.set(nodeId, dial);
    return dial;
  }

  close(): void {
    this.#isOver = true;
    for (const late of this.#dialing) late.abort(CLOSED);
  }

  async #dial(nodeId: string, timeout: number): Promise<void> {
    const { clock } = this.#transport;
    const late = new AbortController();
    const timer = clock.setTimeout(
      () =>
        late.abort(
          new TransportError(
            'deadline_exceeded',
            `node ${nodeId} could not be reached within ${inMs(timeout)}`,
            { target: nodeId, sent: false },
          ),
        ),
      timeout,
    );
    this.#dialing.add(late);
    try {
      if (this.#isOver) throw CLOSED;
      await this.#transport.dial(`node:${nodeId}`, { signal: late.signal });
      if (!this.#isHere(nodeId))
        throw new TransportError('unavailable', `node ${nodeId} is no longer connected`, {
          target: nodeId,
          sent: false,
        });
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      clock.clearTimeout(timer);
      this.#dialing.delete(late);
    }
  }
}

/** Maximum number of concurrent dials. */
const AT_ONCE = 64;
const CLOSED = new TransportError('shutdown', 'gossip was closed');
