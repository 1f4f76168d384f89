// A stream layer that a test drives by hand: the test decides what it accepts and what its dials
// become.

import type { TransportError } from '@trunkline/transport-core';
import type {
  DialOptions,
  HandshakeSlot,
  ListenOptions,
  StreamConnection,
  StreamLayer,
} from '@trunkline/transport-core/backend';
import { ManualStream } from './manual-stream.ts';

export class ManualLayer implements StreamLayer {
  readonly dials: {
    readonly address: string;
    readonly options: DialOptions;
    connected(connection: StreamConnection): void;
  }[] = [];
  options: ListenOptions | undefined;
  closes = 0;
  #accept: ((connection: StreamConnection, slot?: HandshakeSlot) => void) | undefined;

  async listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    _failed?: unknown,
    options?: ListenOptions,
  ): Promise<void> {
    this.#accept = accept;
    this.options = options;
  }

  /** Simulates an incoming connection. */
  come(slot?: HandshakeSlot, more: object = {}): ManualStream {
    const wire = Object.assign(new ManualStream(), more);
    this.#accept?.(wire, slot);
    return wire;
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return new Promise((resolve) => this.dials.push({ address, options, connected: resolve }));
  }

  localAddr(): string {
    return 'hand:0';
  }

  advertiseAddr(): string {
    return 'hand:advertised';
  }

  async close(): Promise<void> {
    this.closes++;
  }
}

/** A handshake limiter that a test drives by hand. */
export class ManualHandshakes {
  readonly slots: ManualSlot[] = [];
  acquisitions = 0;
  /** 'wait': no slot yet; 'closed': no room. */
  answer: 'enter' | 'wait' | 'closed' = 'enter';
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  acquire(_endpoint: string, enter: (slot: HandshakeSlot) => void): HandshakeSlot | undefined {
    this.acquisitions++;
    if (this.answer === 'closed') return undefined;
    const slot = new ManualSlot(this.#now(), enter);
    this.slots.push(slot);
    if (this.answer === 'enter') slot.enter();
    return slot;
  }
}

export class ManualSlot implements HandshakeSlot {
  readonly since: number;
  /** The argument of each call to `leave`. */
  readonly left: unknown[] = [];
  /** The argument of the last call to `answered`. */
  end: ((error: TransportError) => void) | undefined;
  readonly #enter: (slot: HandshakeSlot) => void;

  constructor(since: number, enter: (slot: HandshakeSlot) => void = () => {}) {
    this.since = since;
    this.#enter = enter;
  }

  enter(): void {
    this.#enter(this);
  }

  answered(end: (error: TransportError) => void): void {
    this.end = end;
  }

  leave(error?: unknown): void {
    this.left.push(error);
  }
}
