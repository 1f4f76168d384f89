// A stream layer that a test drives by hand: the test decides what it accepts and what its dials
// become.

import type { DialOptions, ListenOptions, Pass, StreamConnection, StreamLayer } from '@trunkline/transport-core';
import { HandWire } from './hand-wire.ts';

export class HandLayer implements StreamLayer {
  readonly dials: { readonly address: string; readonly options: DialOptions; connected(connection: StreamConnection): void }[] = [];
  options: ListenOptions | undefined;
  closes = 0;
  #accept: ((connection: StreamConnection, pass?: Pass) => void) | undefined;

  async listen(accept: (connection: StreamConnection, pass?: Pass) => void, _failed?: unknown, options?: ListenOptions): Promise<void> {
    this.#accept = accept;
    this.options = options;
  }

  /** Simulates an incoming connection. */
  come(pass?: Pass, more: object = {}): HandWire {
    const wire = Object.assign(new HandWire(), more);
    this.#accept?.(wire, pass);
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

/** A doorway that a test drives by hand. */
export class HandDoorway {
  readonly passes: HandPass[] = [];
  knocks = 0;
  /** 'wait': no slot yet; 'closed': no room. */
  answer: 'enter' | 'wait' | 'closed' = 'enter';
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  knock(_endpoint: string, enter: (pass: Pass) => void): Pass | undefined {
    this.knocks++;
    if (this.answer === 'closed') return undefined;
    const pass = new HandPass(this.#now(), enter);
    this.passes.push(pass);
    if (this.answer === 'enter') pass.enter();
    return pass;
  }
}

export class HandPass implements Pass {
  readonly since: number;
  /** The argument of each call of `leave`. */
  readonly left: unknown[] = [];
  readonly #enter: (pass: Pass) => void;

  constructor(since: number, enter: (pass: Pass) => void = () => {}) {
    this.since = since;
    this.#enter = enter;
  }

  enter(): void {
    this.#enter(this);
  }

  leave(error?: unknown): void {
    this.left.push(error);
  }
}
