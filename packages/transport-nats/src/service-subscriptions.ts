// The subscriptions of an exposed service. When the server revokes one, the service subscribes
// again with a back-off, and its transport is not ready meanwhile.

import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import type { ClockTimer } from '@trunkline/transport-core';
import { TransportError } from '@trunkline/transport-core';
import type { ServiceControl } from '@trunkline/transport-core/internal';
import { natsError } from './nats-errors.ts';

interface Entry {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly take: (message: Msg) => void;
  /** Undefined while the server forbids it. */
  subscription: Subscription | undefined;
}

export class ServiceSubscriptions {
  readonly #connection: NatsConnection;
  readonly #control: ServiceControl;
  readonly #entries: Entry[] = [];
  #retry: ClockTimer;
  #waits = false;
  #delay = FIRST_DELAY;
  #isOver = false;

  constructor(connection: NatsConnection, control: ServiceControl) {
    this.#connection = connection;
    this.#control = control;
    void this.#watch();
  }

  /**
   * Subscribes. `take` must not throw, because the NATS client would then never read from the
   * server again. Throws an error of the NATS client if the connection is closed or drains.
   */
  add(subject: string, queue: string | undefined, take: (message: Msg) => void): void {
    const entry: Entry = { subject, queue, take, subscription: undefined };
    this.#entries.push(entry);
    this.#subscribe(entry);
  }

  /**
   * Unsubscribes; resolves when all requests that the server has sent already have arrived, or when
   * the connection has closed.
   */
  async drain(): Promise<void> {
    this.#isOver = true;
    if (this.#waits) this.#control.clock.clearTimeout(this.#retry);
    this.#control.listensAgain(this);
    const drains = this.#entries.map((each) => each.subscription?.drain().catch(() => {}));
    await Promise.race([Promise.all(drains), this.#connection.closed()]);
  }

  #subscribe(entry: Entry): void {
    const { subject, queue, take } = entry;
    entry.subscription = this.#connection.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error === null) take(message);
        else this.#refused(entry, error);
      },
    });
  }

  /**
   * Reads the client's reports: when a server revokes a subscription of a queue group, the client
   * does not call its callback.
   */
  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (this.#isOver) return;
      if (status.type === 'ldm') this.#warn(status.server);
      if (status.type !== 'error') continue;
      const { operation, subject } = status.error as { operation?: string; subject?: string };
      if (operation !== 'subscription') continue;
      for (const entry of this.#entries)
        if (entry.subject === subject) this.#refused(entry, status.error);
    }
  }

  #warn(server: string): void {
    const error = new TransportError(
      'unavailable',
      `serveNats: the NATS server ${server} of 'connection' shuts down (lame duck mode); the NATS client reconnects once the server has disconnected it`,
      { target: server },
    );
    this.#control.reporter.tell({ type: 'broker', state: 'warning', server, error });
  }

  #refused(entry: Entry, cause: unknown): void {
    if (this.#isOver || entry.subscription === undefined) return;
    entry.subscription.unsubscribe();
    entry.subscription = undefined;
    const { code, message } = natsError(cause, 'subscribe', entry.subject);
    this.#fail(new TransportError(code, `serveNats: ${message}`, { cause }));
  }

  #fail(error: TransportError): void {
    if (this.#waits || this.#isOver) return;
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, LAST_DELAY);
    this.#waits = true;
    this.#retry = this.#control.clock.setTimeout(() => void this.#again(), delay);
    this.#control.listenFailed(this, error, delay);
  }

  async #again(): Promise<void> {
    this.#waits = false;
    if (this.#connection.isClosed()) return;
    try {
      // Throws while the connection drains.
      for (const each of this.#entries) if (each.subscription === undefined) this.#subscribe(each);
      // The server answers it after it has refused or accepted the subscriptions.
      await this.#connection.flush();
    } catch (error) {
      const { code, reason, message } = natsError(error, 'lost', this.#connection.getServer());
      return this.#fail(
        new TransportError(code, `serveNats: ${message}`, { reason, cause: error }),
      );
    }
    if (this.#waits || this.#isOver) return;
    this.#delay = FIRST_DELAY;
    this.#control.listensAgain(this);
  }
}

/** The back-off in milliseconds; it doubles from the first to the last delay. */
const FIRST_DELAY = 5;
const LAST_DELAY = 1_000;
