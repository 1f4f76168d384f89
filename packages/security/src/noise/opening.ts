// A connection from its first byte until it is secured or fails. Connects the greeting with a
// stream and a clock.

import { type ClockTimer, TransportError } from '@trunkline/transport-core';
import { reasonError, type StreamConnection } from '@trunkline/transport-core/backend';
import { type ByteSink, ForwardingSink } from './forwarding-sink.ts';
import { type LayerResources, NoiseConnection } from './noise-connection.ts';
import type { Greeting, GreetingStep, SecureChannel } from './wire/greeting.ts';

export interface OpeningInit {
  readonly greeting: Greeting;
  /** The node id that the dialer wants to reach. */
  readonly dialed: string | undefined;
  /** The timeout in milliseconds, after which the opening fails with `late`. */
  readonly timeout: number;
  readonly late: () => TransportError;
  /**
   * Called when this end has answered the initiator's first message. `end` makes the opening fail.
   */
  answered?(end: (error: TransportError) => void): void;
  /**
   * Called when the connection is secured, also if its `refused` is set; attach to it immediately.
   */
  done(connection: NoiseConnection): void;
  /** Called when the opening has failed and its resources have been released. */
  failed(error: TransportError): void;
}

export class Opening implements ByteSink {
  readonly #host: LayerResources;
  readonly #inner: StreamConnection;
  readonly #init: OpeningInit;
  readonly #forwarding: ForwardingSink;
  #over = false;
  /**
   * Chunks that were received but not read yet, because it is not this connection's turn or the
   * last message has not been sent.
   */
  #arrived: Uint8Array[] = [];
  #reads = false;
  /** Messages that wait until the underlying connection has drained. */
  readonly #outgoing: Uint8Array[] = [];
  #blocked = false;
  #channel: SecureChannel | undefined = undefined;
  /**
   * The error of a failure that was sent to the other end, reported once the underlying connection
   * has ended.
   */
  #farewell: TransportError | undefined = undefined;
  readonly #timer: ClockTimer;

  /**
   * Attaches to the connection and starts the timeout, but reads nothing before `begin` is called.
   */
  constructor(host: LayerResources, inner: StreamConnection, init: OpeningInit) {
    this.#host = host;
    this.#inner = inner;
    this.#init = init;
    this.#forwarding = new ForwardingSink(this);
    this.#timer = host.clock.setTimeout(
      () => this.#fail(this.#farewell ?? init.late()),
      Math.max(init.timeout, 0),
    );
    inner.attach(this.#forwarding);
  }

  /**
   * Starts reading when it is this connection's turn. If it had to wait, the caller resumes the
   * underlying connection first. `first` is the initiator's first message.
   */
  begin(first?: Uint8Array): void {
    if (this.#over || this.#reads) return;
    this.#reads = true;
    if (first !== undefined) this.#write(first);
    for (const chunk of this.#arrived.splice(0)) this.data(chunk);
  }

  /** Gives up immediately, without a report to `failed`. */
  drop(error?: TransportError): void {
    if (this.#over) return;
    this.#settle();
    this.#inner.destroy(error);
  }

  data(bytes: Uint8Array): void {
    if (this.#over || this.#farewell !== undefined || bytes.length === 0) return;
    const chunk = new Uint8Array(bytes);
    if (!this.#reads || this.#channel !== undefined) {
      this.#arrived.push(chunk);
      return this.#inner.pause();
    }
    let rest = chunk;
    for (;;) {
      const step = this.#init.greeting.receive(rest);
      if (step === undefined) return;
      if (this.#take(step)) return;
      rest = NOTHING;
    }
  }

  drained(): void {
    this.#blocked = false;
    while (!this.#blocked && this.#outgoing.length > 0)
      this.#blocked = !this.#inner.write(this.#outgoing.shift()!);
    this.#complete();
  }

  revoked(error: TransportError): void {
    this.#fail(error);
  }

  /** Ignored: the layer repeats it. */
  leave(): void {}

  closed(error?: TransportError): void {
    if (this.#over) return;
    this.#settle();
    this.#init.failed(this.#farewell ?? cutOff(error));
  }

  /** Handles a step. Returns true if no step follows it. */
  #take({ send, done, failed }: GreetingStep): boolean {
    if (send !== undefined) this.#write(send);
    if (send !== undefined && failed === undefined && done === undefined)
      this.#init.answered?.((error) => this.#fail(error));
    if (failed !== undefined) {
      const error = reasonError(failed.reason, failed.text);
      if (failed.cut) this.#fail(error);
      else this.#leave(error);
    }
    this.#channel = done;
    this.#complete();
    return done !== undefined || failed !== undefined;
  }

  #write(bytes: Uint8Array): void {
    if (this.#blocked) this.#outgoing.push(bytes);
    else this.#blocked = !this.#inner.write(bytes);
  }

  #leave(error: TransportError): void {
    this.#farewell = error;
    this.#inner.close();
  }

  #fail(error: TransportError): void {
    if (this.#over) return;
    this.drop(error);
    this.#init.failed(error);
  }

  #settle(): void {
    this.#over = true;
    this.#host.clock.clearTimeout(this.#timer);
  }

  /** Hands the connection over, once the underlying connection has taken its last message. */
  #complete(): void {
    const channel = this.#channel;
    if (channel === undefined || this.#outgoing.length > 0 || this.#over) return;
    this.#settle();
    const { greeting, dialed, done } = this.#init;
    const { peers } = this.#host;
    const { nodeId, flaw } = channel;
    const refused =
      this.#inner.refused ??
      (nodeId === undefined
        ? reasonError('bad_certificate', `the peer did not prove its identity: ${flaw}`)
        : peers.judge(nodeId, dialed));
    const arrived = greeting.rest.length === 0 ? this.#arrived : [greeting.rest, ...this.#arrived];
    const connection = new NoiseConnection(this.#host, {
      inner: this.#inner,
      channel,
      refused,
      blocked: this.#blocked,
      arrived,
    });
    if (refused === undefined) peers.watch(connection, dialed);
    this.#forwarding.sink = connection;
    done(connection);
  }
}

function cutOff(error: TransportError | undefined): TransportError {
  const what = 'the other end reset the connection during the noise handshake';
  if (error === undefined) return reasonError('reset', what);
  return new TransportError(error.code, `${what} (${error.message})`, {
    reason: error.reason,
    cause: error,
  });
}

const NOTHING = new Uint8Array(0);
