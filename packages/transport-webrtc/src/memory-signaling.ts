// Signaling inside one process, for tests and for programs whose nodes share a process.

import { type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import { reasonError, refuseUnknown } from '@trunkline/transport-core/backend';
import type {
  Signal,
  SignalMessage,
  SignalOpenOptions,
  SignalReceiver,
  SignalSession,
} from './signal.ts';

/**
 * A realm in memory. You create the object yourself, so that tests never interfere with each other.
 */
export interface MemorySignaling {
  /**
   * Returns a node's access to the realm. The id is a node id or another name of letters, digits,
   * '.', '_' and '-'; others can't be dialed. Throws a TypeError for an unknown option.
   */
  signal(nodeId: string, options?: MemorySignalOptions): Signal;
}

/** Options of one node's access. */
export interface MemorySignalOptions {
  /** Default: true. */
  readonly trickle?: boolean | undefined;
  /** Default: the system clock. */
  readonly clock?: Pick<Clock, 'defer'> | undefined;
}

/** Creates a realm without nodes. */
export function createMemorySignaling(): MemorySignaling {
  const realm: Realm = new Map();
  return {
    signal(nodeId, options = {}) {
      refuseUnknown(options, 'signal', ['trickle', 'clock']);
      const { trickle, clock = systemClock } = options;
      return new MemorySignal(nodeId, realm, { trickle, clock });
    },
  };
}

type Realm = Map<string, { accept(session: SignalSession): void }>;

class MemorySignal implements Signal {
  readonly nodeId: string;
  readonly trickle: boolean | undefined;
  readonly #realm: Realm;
  readonly #clock: Pick<Clock, 'defer'>;
  #registration: { accept(session: SignalSession): void } | undefined;

  constructor(
    nodeId: string,
    realm: Realm,
    { trickle, clock }: { trickle: boolean | undefined; clock: Pick<Clock, 'defer'> },
  ) {
    this.nodeId = nodeId;
    this.trickle = trickle;
    this.#realm = realm;
    this.#clock = clock;
  }

  async listen(accept: (session: SignalSession) => void): Promise<void> {
    if (this.#realm.has(this.nodeId))
      throw reasonError(
        'address_in_use',
        `Cannot register ${this.nodeId}: a node is registered under this id; close that one first`,
        { target: this.nodeId },
      );
    this.#registration = { accept };
    this.#realm.set(this.nodeId, this.#registration);
  }

  async unlisten(): Promise<void> {
    if (this.#registration === undefined) return;
    this.#registration = undefined;
    this.#realm.delete(this.nodeId);
  }

  async open(target: string, { signal }: SignalOpenOptions): Promise<SignalSession> {
    signal?.throwIfAborted();
    const registered = this.#realm.get(target);
    if (registered === undefined)
      throw reasonError(
        'connection_refused',
        `Cannot connect to ${target}: no node is registered under this id`,
        { target },
      );
    const [near, far] = [
      new MemorySession(target, this.#clock),
      new MemorySession(this.nodeId, this.#clock),
    ];
    near.other = far;
    far.other = near;
    this.#clock.defer(() => registered.accept(far));
    return near;
  }
}

class MemorySession implements SignalSession {
  readonly peer: string;
  other!: MemorySession;
  readonly #clock: Pick<Clock, 'defer'>;
  #receiver: SignalReceiver | undefined;
  #isOver = false;
  /** Reports that arrived before `attach`. */
  readonly #early: ((receiver: SignalReceiver) => void)[] = [];

  constructor(peer: string, clock: Pick<Clock, 'defer'>) {
    this.peer = peer;
    this.#clock = clock;
  }

  attach(receiver: SignalReceiver): void {
    this.#clock.defer(() => {
      this.#receiver = receiver;
      for (const report of this.#early.splice(0)) report(receiver);
    });
  }

  send(message: SignalMessage): void {
    if (this.#isOver) return;
    const { other } = this;
    this.#clock.defer(() =>
      other.#report((receiver) => {
        if (!other.#isOver) receiver.message(message);
      }),
    );
  }

  close(error?: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { other } = this;
    this.#clock.defer(() =>
      other.#report((receiver) => {
        if (other.#isOver) return;
        other.#isOver = true;
        receiver.closed(
          error && new TransportError(error.code, error.message, { reason: error.reason }),
        );
      }),
    );
  }

  #report(report: (receiver: SignalReceiver) => void): void {
    if (this.#receiver === undefined) this.#early.push(report);
    else report(this.#receiver);
  }
}
