// The `MessageChannel` of a simulated node: its messages arrive in virtual time.

import type { NodeContext } from '../nodes/node-context.ts';

type Listener = (event: unknown) => unknown;

/** Creates the class `MessageChannel` of one life of a node. */
export function virtualMessageChannel(clock: NodeContext['clock']): unknown {
  return class MessageChannel {
    readonly port1 = new VirtualPort(clock);
    readonly port2 = new VirtualPort(clock);

    constructor() {
      this.port1.other = this.port2;
      this.port2.other = this.port1;
    }
  };
}

/** One end of a channel. It starts when it gets its first listener, as ports of Node do. */
class VirtualPort extends EventTarget {
  other: VirtualPort | undefined;
  readonly #clock: NodeContext['clock'];
  readonly #waiting: unknown[] = [];
  readonly #handlers = new Map<string, Listener>();
  /** The listeners of `on` and `once`, which get the data of a message instead of an event. */
  readonly #plain = new Map<Listener, Listener>();
  #isStarted = false;
  /** True once it neither sends nor takes messages. */
  #isClosed = false;
  #isClosing = false;

  constructor(clock: NodeContext['clock']) {
    super();
    this.#clock = clock;
  }

  get onmessage(): Listener | null {
    return this.#handlers.get('message') ?? null;
  }

  set onmessage(listener: Listener | null) {
    const before = this.#handlers.get('message');
    if (before !== undefined) this.removeEventListener('message', before);
    this.#handlers.delete('message');
    if (listener === null) return;
    this.#handlers.set('message', listener);
    this.addEventListener('message', listener);
    this.start();
  }

  postMessage(value: unknown): void {
    const { other } = this;
    const copy = structuredClone(value);
    if (other === undefined || this.#isClosed || other.#isClosed) return;
    if (other.#isStarted) other.#deliver(copy);
    else other.#waiting.push(copy);
  }

  on(name: string, listener: Listener): this {
    return this.#listen(name, listener, false);
  }

  once(name: string, listener: Listener): this {
    return this.#listen(name, listener, true);
  }

  off(name: string, listener: Listener): this {
    this.removeEventListener(name, this.#plain.get(listener) ?? listener);
    this.#plain.delete(listener);
    return this;
  }

  addListener = this.on;
  removeListener = this.off;

  start(): void {
    this.#isStarted = true;
    for (const value of this.#waiting.splice(0)) this.#deliver(value);
  }

  /** Closes this end at once, and the other one after the messages that are on their way to it. */
  close(): void {
    this.#isClosed = true;
    for (const port of [this, this.other]) {
      if (port === undefined || port.#isClosing) continue;
      port.#isClosing = true;
      this.#clock.setTimeout(() => {
        port.#isClosed = true;
        port.dispatchEvent(new Event('close'));
      }, 0);
    }
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  #listen(name: string, listener: Listener, once: boolean): this {
    const plain: Listener = (event) => listener((event as MessageEvent).data);
    this.#plain.set(listener, plain);
    this.addEventListener(name, plain, { once });
    if (name === 'message') this.start();
    return this;
  }

  #deliver(data: unknown): void {
    this.#clock.setTimeout(() => {
      if (!this.#isClosed) this.dispatchEvent(new MessageEvent('message', { data }));
    }, 0);
  }
}
