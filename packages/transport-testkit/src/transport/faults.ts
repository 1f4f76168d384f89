// A stream layer whose connections freeze and break on demand. Bytes and frames pass unchanged.

import { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer, StreamSink } from '@trunkline/transport-core/backend';

/** Controls every connection of one layer. */
export interface Wire {
  /**
   * Wraps the layer of a transport (`TransportPlace.wrap`). Optional members of the layer are not
   * passed on; nor are `ref`, `writeAll`, `attachment`, `reuses` and `leave` of its connections.
   */
  wrap(layer: StreamLayer): StreamLayer;
  /**
   * Stops all traffic in both directions, but still takes writes, as if the other process had
   * stopped while its machine continued to run.
   */
  freeze(): void;
  /** Delivers the waiting traffic, and everything that follows. */
  thaw(): void;
  /** Breaks every live connection immediately, as a reset does, and drops what waits for `thaw`. */
  cut(): void;
  /** The number of open connections, dialed and accepted. */
  readonly live: number;
  /** The number of connections ever dialed. */
  readonly dialed: number;
}

/** Creates a wire that does nothing yet. */
export function createWire(): Wire {
  const connections = new Set<FaultyConnection>();
  const state = { frozen: false, dialed: 0 };
  const adopt = (connection: StreamConnection): StreamConnection => {
    const faulty = new FaultyConnection(
      connection,
      () => state.frozen,
      () => connections.delete(faulty),
    );
    connections.add(faulty);
    return faulty;
  };
  return {
    wrap: (layer) => ({
      listen: (accept, failed, options) =>
        layer.listen((connection, pass) => accept(adopt(connection), pass), failed, options),
      async dial(address, options) {
        state.dialed++;
        return adopt(await layer.dial(address, options));
      },
      localAddr: () => layer.localAddr(),
      advertiseAddr: () => layer.advertiseAddr(),
      close: () => layer.close(),
    }),
    freeze() {
      state.frozen = true;
    },
    thaw() {
      state.frozen = false;
      for (const connection of [...connections]) connection.thaw();
    },
    cut() {
      for (const connection of [...connections]) connection.cut();
    },
    get live() {
      return connections.size;
    },
    get dialed() {
      return state.dialed;
    },
  };
}

class FaultyConnection implements StreamConnection {
  readonly endpoint: string;
  readonly nodeId: string | undefined;
  readonly binding: Uint8Array | undefined;
  readonly refused: TransportError | undefined;
  readonly frames: StreamConnection['frames'];
  readonly #inner: StreamConnection;
  readonly #isFrozen: () => boolean;
  readonly #onEnd: () => void;
  #sink: StreamSink | undefined;
  /** Incoming events and outgoing actions that wait for the thaw, in order. */
  #inward: (() => void)[] = [];
  #outward: Uint8Array[] = [];
  #batches: Parameters<NonNullable<StreamConnection['frames']>['send']>[0][] = [];
  /** True if the session waits for `drained`. */
  #owed = false;
  #closing = false;
  /**
   * True if this end has destroyed the connection, so its end is reported even while the wire is
   * frozen.
   */
  #isDestroyed = false;
  /** True if the inner connection has ended; while the wire is frozen, that is not reported. */
  #isOver = false;

  constructor(inner: StreamConnection, isFrozen: () => boolean, onEnd: () => void) {
    this.endpoint = inner.endpoint;
    this.nodeId = inner.nodeId;
    this.binding = inner.binding;
    this.refused = inner.refused;
    this.#inner = inner;
    this.#isFrozen = isFrozen;
    this.#onEnd = onEnd;
    const frames = inner.frames;
    this.frames = frames && {
      collector: frames.collector,
      send: (batch) => {
        if (isFrozen()) this.#batches.push(batch);
        else frames.send(batch);
      },
    };
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#inner.attach({
      data: (chunk) => this.#come(() => this.#sink?.data(chunk)),
      frames: (batch) => this.#come(() => this.#sink?.frames(batch)),
      drained: () => this.#drained(),
      revoked: (error) => this.#sink?.revoked?.(error),
      closed: (error) => {
        this.#isOver = true;
        this.#come(() => this.#end(error));
      },
    });
  }

  write(chunk: Uint8Array): boolean {
    if (this.#isFrozen() || this.#outward.length > 0) {
      this.#outward.push(chunk.slice());
      return true;
    }
    const done = this.#inner.write(chunk);
    this.#owed = !done;
    return done;
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(): void {
    this.#closing = true;
    if (!this.#isFrozen()) this.#flush();
  }

  destroy(error?: TransportError): void {
    this.#forget();
    this.#isDestroyed = true;
    this.#onEnd();
    // An inner connection that has ended reports nothing more.
    if (this.#isOver) void Promise.resolve().then(() => this.#end(error));
    else this.#inner.destroy(error);
  }

  thaw(): void {
    for (const batch of this.#batches.splice(0)) this.frames?.send(batch);
    this.#flush();
    for (const run of this.#inward.splice(0)) run();
  }

  cut(): void {
    this.#forget();
    this.#inner.destroy();
    this.#end(
      new TransportError('unavailable', `${this.endpoint}: the suite cut the connection`, {
        reason: 'reset',
      }),
    );
  }

  #come(run: () => void): void {
    if (this.#isFrozen() && !this.#isDestroyed) this.#inward.push(run);
    else run();
  }

  #drained(): void {
    if (this.#owed) {
      this.#owed = false;
      this.#come(() => this.#sink?.drained());
    } else if (!this.#isFrozen()) this.#flush();
  }

  #flush(): void {
    for (let chunk = this.#outward.shift(); chunk !== undefined; chunk = this.#outward.shift()) {
      if (!this.#inner.write(chunk)) return;
    }
    if (this.#closing) this.#inner.close();
  }

  #forget(): void {
    this.#inward = [];
    this.#outward = [];
    this.#batches = [];
  }

  #end(error: TransportError | undefined): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#onEnd();
    sink?.closed(error);
  }
}
