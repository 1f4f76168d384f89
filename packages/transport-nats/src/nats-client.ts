// One connection to a NATS server, shared by the virtual connections over it. It never reconnects:
// when it is lost, all virtual connections end, so that data written before the loss is never sent
// later.

import type { ConnectionOptions, Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { type Clock, TransportError } from '@trunkline/transport-core';
import { backgroundTimer } from '@trunkline/transport-core/backend';
import { CreditPool } from './credit-pool.ts';
import { LEAST_MESSAGE, MessageType } from './message.ts';
import { natsError } from './nats-errors.ts';

/** Connects to the first reachable server in the options. */
export type ConnectToNats = (options: ConnectionOptions) => Promise<NatsConnection>;

/**
 * Receives the messages of one subscription. No method may throw: the NATS client would never read
 * from the server again, and `#watch` would end the process with an unhandled rejection.
 */
export interface SubjectListener {
  message(data: Uint8Array, reply: () => string): void;
  /**
   * Called if a message that was published with this subject as its reply subject had no
   * subscriber.
   */
  noResponders(): void;
  /**
   * Called if the server refused the subscription or a publication with `refusedFor`, or if the
   * connection to the server is lost; possibly more than once. The listener then unsubscribes.
   */
  failed(error: TransportError): void;
  /**
   * Called when a server of the cluster is lost, on which the peer of this subject may have been.
   */
  doubt?(): void;
  /** Called repeatedly after `NatsClient.leave`, until it has unsubscribed. */
  leave?(text: string): void;
}

/** Ends a subscription; does nothing when called again. `subscribe` describes `drain`. */
export type Unsubscribe = (drain?: boolean) => void;

/** Called if the server refuses a publication. */
type Publisher = Pick<SubjectListener, 'failed'>;

export class NatsClient {
  /** The server that it is connected to, 'host:port'. */
  readonly server: string;
  readonly credit: CreditPool;
  /** Up to 16 addresses of the cluster's servers, as the server has sent them. */
  known: readonly string[] = [];
  /** The addresses of all servers of the cluster. */
  #servers: readonly string[] = [];
  readonly #connection: NatsConnection;
  readonly #clock: Clock;
  readonly #listeners = new Set<SubjectListener>();
  /** The listeners to notify if the server forbids an operation, by operation and subject. */
  readonly #forbidden = new Map<string, Set<Publisher>>();
  #holders = 0;
  #isRetired = false;
  #isDown = false;
  /** True once this end closes the connection. */
  #isEnding = false;
  /** The last error that the server reported, other than a missing permission; or `tooSmall`. */
  #report: unknown;
  /** The subject and the last message of each connection that was lost with this client. */
  readonly #farewells: [string, Uint8Array][] = [];
  #ended: (() => void) | undefined;
  /** Resolves when the socket is closed. */
  readonly ended = new Promise<void>((resolve) => (this.#ended = resolve));

  #lost: ((error: TransportError | undefined) => void) | undefined;
  #leaving: (() => void) | undefined;

  /**
   * @param connection must not reconnect.
   * @param maxPending the maximum credit that all connections together may grant, in units.
   */
  constructor(connection: NatsConnection, maxPending: number, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.server = connection.getServer();
    this.#updated();
    this.credit = new CreditPool(maxPending);
    const down = (cause: unknown) => {
      if (this.#isDown) return;
      this.#isDown = true;
      const error = natsError(this.#report ?? cause, 'lost', this.server);
      this.#lost?.(this.#isEnding ? undefined : error);
      for (const listener of [...this.#listeners]) listener.failed(error);
    };
    connection.closed().then((error) => {
      down(error);
      this.#ended?.();
    });
    void this.#watch(down);
  }

  /** True if there are no subscriptions. */
  get isIdle(): boolean {
    return this.#holders === 0;
  }

  /**
   * Calls `lost` when the connection is lost or has ended; immediately if that has happened
   * already. There is no error if this end has closed it. Call it once: a later call replaces
   * `lost`.
   */
  onLost(lost: (error: TransportError | undefined) => void): void {
    if (this.#isDown)
      return lost(this.#isEnding ? undefined : natsError(undefined, 'lost', this.server));
    this.#lost = lost;
  }

  /** Calls `leaving` when the server announces that it shuts down (lame duck mode). */
  onLeaving(leaving: () => void): void {
    this.#leaving = leaving;
  }

  /** True if `retire` was called: the client ends when it is no longer held. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Returns an error if the server does not accept messages of the length that is needed. */
  get tooSmall(): TransportError | undefined {
    if (this.maxPayload >= LEAST_MESSAGE) return undefined;
    return new TransportError(
      'failed_precondition',
      `the NATS server ${this.server} accepts messages of up to ${this.maxPayload} bytes (max_payload), and connections need at least ${LEAST_MESSAGE}; raise max_payload in its configuration`,
      { target: this.server },
    );
  }

  /** Closes the connection at once. */
  close(): Promise<void> {
    this.#isEnding = true;
    return this.#connection.close().catch(() => {});
  }

  /** Reads what the server has sent about itself and the cluster. */
  #updated(): void {
    const before = this.#servers;
    this.#servers = this.#connection.info?.connect_urls ?? [];
    this.known = this.#servers.slice(0, MOST_KNOWN);
    const present = new Set(this.#servers);
    if (before.every((server) => present.has(server))) return;
    this.#doubt();
    // Our server forgets the subscriptions at the lost one a moment after it has sent this.
    backgroundTimer(this.#clock, () => this.#doubt(), SETTLED);
  }

  /** The server answers what is now published to a lost peer with "no responders". */
  #doubt(): void {
    for (const listener of [...this.#listeners]) listener.doubt?.();
  }

  /**
   * Publishes the farewells of connections that were lost with another client. Their peers may be
   * at other servers, and would otherwise wait for messages that never come.
   */
  takeLeaveFor(lost: NatsClient): void {
    for (const [subject, data] of lost.#farewells.splice(0)) this.publish(subject, data, '');
  }

  /** Maximum size of a message that the server currently accepts, in bytes. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? 0;
  }

  /**
   * Publishes; drops the message if the connection is lost, except a `reset`, which is kept for
   * `takeLeaveFor`. NATS may keep `data` for a moment. Throws if `data` is longer than
   * `maxPayload`: callers use `MessageLink.room`, or messages below `LEAST_MESSAGE`.
   */
  publish(subject: string, data: Uint8Array, reply: string): void {
    if (this.#isDown && data[4] === MessageType.reset) this.#farewells.push([subject, data]);
    if (this.#isDown || this.#connection.isClosed()) return;
    this.#connection.publish(subject, data, { reply });
  }

  /**
   * Subscribes until the returned function is called. With its argument `drain`, messages that the
   * server has sent before are still delivered. Never throws: if the connection is lost already,
   * `listener.failed` is called later.
   */
  subscribe(subject: string, listener: SubjectListener, queue?: string): Unsubscribe {
    let subscription: Subscription | undefined;
    this.#listeners.add(listener);
    this.#holders++;
    const forget = this.#ifForbidden(`subscription ${subject}`, listener);
    try {
      if (this.#isDown) throw new Error('the connection has ended');
      subscription = this.#connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error, message) => {
          if (error !== null) return listener.failed(natsError(error, 'subscribe', subject));
          const { data } = message;
          if (data.length === 0 && reportsAbsence(message)) return listener.noResponders();
          listener.message(
            new Uint8Array(data.buffer, data.byteOffset, data.length),
            () => message.reply ?? '',
          );
        },
      });
    } catch (error) {
      this.#clock.defer(() => {
        if (this.#listeners.has(listener)) listener.failed(natsError(error, 'lost', this.server));
      });
    }
    let isHeld = true;
    return (drain = false) => {
      if (!isHeld) return;
      isHeld = false;
      forget();
      const end = () => void this.#listeners.delete(listener);
      if (drain && subscription !== undefined) subscription.drain().then(end, end);
      else {
        end();
        subscription?.unsubscribe();
      }
      this.#release();
    };
  }

  /**
   * Notifies `listener` if the server refuses to publish to `subject`, until the returned function
   * is called. An empty subject stands for all subjects without a listener.
   */
  refusedFor(subject: string, listener: Publisher): () => void {
    return this.#ifForbidden(`publish ${subject}`, listener);
  }

  #ifForbidden(operation: string, listener: Publisher): () => void {
    const those = this.#forbidden.get(operation) ?? new Set<Publisher>();
    this.#forbidden.set(operation, those.add(listener));
    return () => {
      those.delete(listener);
      if (those.size === 0) this.#forbidden.delete(operation);
    };
  }

  /**
   * Resolves when the server has processed everything sent before. Rejects with a TransportError if
   * the connection to it is lost.
   */
  async flush(): Promise<void> {
    const lost = (cause: unknown) => {
      throw natsError(cause, 'lost', this.server);
    };
    // A flush that is under way when the connection closes never settles.
    await Promise.race([
      this.#connection.flush().catch(lost),
      this.#connection.closed().then(lost),
    ]);
  }

  /**
   * Makes the transport leave all connections over this client, a few at a time. The client ends
   * when the last of them has ended.
   */
  leave(text: string): void {
    this.retire();
    let rest: SubjectListener[] = [];
    const round = () => {
      if (this.#isDown || this.#holders === 0) return;
      if (rest.length === 0) rest = [...this.#listeners];
      for (const listener of rest.splice(0, BATCH)) listener.leave?.(text);
      backgroundTimer(this.#clock, round, STEP);
    };
    round();
  }

  /** Closes the connection once the last subscription has ended. */
  retire(): void {
    this.#isRetired = true;
    if (this.#holders === 0) void this.#end();
  }

  #release(): void {
    this.#holders--;
    if (this.#isRetired && this.#holders === 0) void this.#end();
  }

  /**
   * Closes the connection after all published messages have reached the server. If the server does
   * not answer, the client's pings detect that.
   */
  async #end(): Promise<void> {
    // After the first flush, no message of a drained subscription is on its way; the second one
    // sends the answers to them.
    for (let i = 0; i < 2; i++) {
      await this.flush().catch(() => {});
      // A request that was on its way has become a connection.
      if (this.#holders > 0) return;
    }
    await this.close();
  }

  /**
   * Reads the client's reports: a lost server, and missing permissions. When a server revokes a
   * subscription, its report names no queue group, so the client does not call the callback of a
   * subscription that has one.
   */
  async #watch(down: (cause: unknown) => void): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect' || status.type === 'staleConnection') down(undefined);
      if (status.type === 'update' && !this.#connection.isClosed()) {
        this.#updated();
        this.#report ??= this.tooSmall;
        if (this.tooSmall !== undefined) void this.close();
      }
      if (status.type === 'ldm') this.#leaving?.();
      if (status.type !== 'error') continue;
      if (status.error.name !== 'PermissionViolationError') this.#report = status.error;
      const { operation, subject = '' } = status.error as { operation?: string; subject?: string };
      const error = natsError(
        status.error,
        operation === 'publish' ? 'publish' : 'subscribe',
        subject,
      );
      const those =
        this.#forbidden.get(`${operation} ${subject}`) ?? this.#forbidden.get(`${operation} `);
      for (const listener of [...(those ?? [])]) listener.failed(error);
    }
  }
}

/**
 * Returns true if the server reports that a message had no subscribers. The NATS client throws when
 * it decodes malformed headers, which any client can send.
 */
function reportsAbsence(message: Msg): boolean {
  try {
    return message.headers?.code === NO_RESPONDERS;
  } catch {
    return false;
  }
}

/** The status in a server's answer to a message whose subject has no subscriber. */
const NO_RESPONDERS = 503;
/**
 * The number of connections that the transport leaves at a time, and the pause in milliseconds. It
 * leaves them gradually because their callers dial again (`drain` of resilience does the same).
 */
const BATCH = 16;
const STEP = 10;
/** The time in milliseconds after which a server has forgotten what it knew of a lost one. */
const SETTLED = 1_000;
/** The maximum number of the cluster's servers that are remembered. */
const MOST_KNOWN = 16;
