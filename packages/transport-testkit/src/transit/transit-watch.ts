// Detects whether anything is on its way between two ends in this process, for suites whose manual
// clock must not overtake connections that work outside the event loop.

import { type Clock, systemClock } from '@trunkline/transport-core';
import {
  type DialOptions,
  type HandshakeLimiter,
  type HandshakeSlot,
  type ListenOptions,
  refuseUnknown,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { ArrivingConnection, type Path, WatchedConnection } from './watched-connection.ts';

/** Counts the dials and the bytes that the layers of one backend have under way. */
export interface TransitWatch {
  /**
   * Wraps a stream layer. Both ends of each connection must belong to layers of the same watch:
   * before all other bytes, the dialer writes four bytes by which the watch finds the other end.
   * The other end doesn't report these bytes. Of the optional members, the wrapped layer has only
   * `clock`, `localAddrs`, `machine` and `checkAddress`; its connections lack `frames` and
   * `writeAll`, and `leave` of their sinks is not called.
   */
  watch(layer: StreamLayer): StreamLayer;
  /**
   * Returns true in three cases: while a dial is pending that doesn't wait for a handshake slot;
   * while written bytes have not been reported to an end that reads; and while one end of a
   * connection has ended and the other end has not been notified. Anything that hasn't moved for
   * `lostAfter` counts as lost.
   *
   * @param clock the clock of the layers to consider. Default: all layers.
   */
  isBusy(clock?: Clock): boolean;
}

/** Options of a watch. */
export interface TransitWatchOptions {
  /**
   * The real time, in milliseconds, after which a dial or bytes that haven't moved count as lost.
   * Default: 5,000. Set more if the backend repeats lost packets after longer pauses; otherwise,
   * the clock passes the timeout of a dial that would still succeed. A case in which nothing else
   * happens fails first unless the `stallTimeout` of the suite is greater.
   */
  readonly lostAfter?: number | undefined;
}

/**
 * Creates a watch, for the option `isBusy` of the suites. A backend needs it if its connections
 * work outside the event loop, such as in the threads of a native library or in another process.
 * The suites advance a manual clock, so without a watch, a dial or a PING would time out before its
 * bytes arrive.
 *
 * ```ts
 * const transit = createTransitWatch();
 * transportSuite(test, {
 *   name: 'webrtc',
 *   create: (options) => new NetworkTransport({ ...options, stream: transit.watch(layer()) }),
 *   isBusy: transit.isBusy,
 *   …
 * });
 * ```
 *
 * @throws TypeError for an unknown option.
 */
export function createTransitWatch(options: TransitWatchOptions = {}): TransitWatch {
  refuseUnknown(options, 'createTransitWatch', ['lostAfter']);
  const transit = new Transit(options.lostAfter ?? LOST);
  return {
    watch: (layer) => new WatchedLayer(layer, transit),
    isBusy: (clock) => transit.isBusy(clock),
  };
}

/** The dials and connections of one watch. */
class Transit {
  readonly #dials = new Set<PendingDial>();
  readonly #paths = new Map<number, Path>();
  /** Handshakes that wait for a slot, each of which keeps a dial pending. */
  waiting = 0;
  readonly #lostAfter: number;
  #count = 0;

  constructor(lostAfter: number) {
    this.#lostAfter = lostAfter;
  }

  isBusy(clock: Clock | undefined): boolean {
    const since = systemClock.now() - this.#lostAfter;
    const dials = [...this.#dials].filter((dial) => dial.since > since);
    if (dials.length > this.waiting && dials.some((dial) => isOf(clock, dial.clock))) return true;
    for (const [id, { near, far }] of this.#paths) {
      if (near.isOver && far?.isOver !== false) this.#paths.delete(id);
      else if (isOf(clock, near.clock) || isOf(clock, far?.clock))
        if (Math.max(near.movedAt, far?.movedAt ?? 0) > since && near.isBusyWith(far)) return true;
    }
    return false;
  }

  async dial(
    layer: StreamLayer,
    address: string,
    options: DialOptions,
  ): Promise<WatchedConnection> {
    const pending = { clock: layer.clock, since: systemClock.now() };
    this.#dials.add(pending);
    try {
      const near = new WatchedConnection(await layer.dial(address, options), layer.clock);
      const id = ++this.#count;
      this.#paths.set(id, { near, far: undefined });
      near.announce(id);
      return near;
    } finally {
      this.#dials.delete(pending);
    }
  }

  /** Joins an accepted connection to the dialed connection that has sent this number. */
  join(id: number, far: WatchedConnection): void {
    const path = this.#paths.get(id);
    if (path !== undefined) path.far = far;
  }
}

interface PendingDial {
  readonly clock: Clock | undefined;
  readonly since: number;
}

function isOf(wanted: Clock | undefined, clock: Clock | undefined): boolean {
  return wanted === undefined || wanted === clock;
}

class WatchedLayer implements StreamLayer {
  readonly clock: Clock | undefined;
  readonly localAddrs: StreamLayer['localAddrs'];
  readonly machine: StreamLayer['machine'];
  readonly #layer: StreamLayer;
  readonly #transit: Transit;

  constructor(layer: StreamLayer, transit: Transit) {
    this.clock = layer.clock;
    this.localAddrs = layer.localAddrs && (() => layer.localAddrs!());
    this.machine = layer.machine;
    this.#layer = layer;
    this.#transit = transit;
  }

  listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    failed?: Parameters<StreamLayer['listen']>[1],
    options?: ListenOptions,
  ): Promise<void> {
    return this.#layer.listen(
      (connection, slot) =>
        new ArrivingConnection(connection, this.clock, (id, far) => {
          if (id !== undefined) this.#transit.join(id, far);
          accept(far, slot);
        }),
      failed,
      options && {
        ...options,
        handshakes: this.#counted(options.handshakes),
        screen: undefined, // It would see the dialer's number instead of its first message.
      },
    );
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return this.#transit.dial(this.#layer, address, options);
  }

  checkAddress(address: string): void {
    this.#layer.checkAddress?.(address);
  }

  localAddr(): string {
    return this.#layer.localAddr();
  }

  advertiseAddr(): string {
    return this.#layer.advertiseAddr();
  }

  close(): Promise<void> {
    return this.#layer.close();
  }

  /** Counts the handshakes that wait for their turn. */
  #counted(handshakes: HandshakeLimiter): HandshakeLimiter {
    const transit = this.#transit;
    return {
      acquire(endpoint, enter) {
        let isWaiting = true;
        transit.waiting++;
        const done = () => {
          if (isWaiting) transit.waiting--;
          isWaiting = false;
        };
        const wrap = (slot: HandshakeSlot): HandshakeSlot => ({
          since: slot.since,
          answered: (end) => slot.answered?.(end),
          leave(error) {
            done();
            slot.leave(error);
          },
        });
        const slot = handshakes.acquire(endpoint, (entered) => {
          done();
          enter(wrap(entered));
        });
        if (slot === undefined) done();
        return slot && wrap(slot);
      },
    };
  }
}

/** The default of `lostAfter`. */
const LOST = 5_000;
