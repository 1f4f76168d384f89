// A WAMP router as a `Signal` of transport-webrtc: a node registers a procedure named by its id,
// and others call it with their offers.

import {
  type Clock,
  type ClockTimer,
  type Random,
  systemClock,
  systemRandom,
  TransportError,
} from '@trunkline/transport-core';
import {
  inMs,
  option,
  optionsSchema,
  parseOptions,
  reasonError,
} from '@trunkline/transport-core/backend';
import { openWebSocket } from '#web-socket';
import type { Signal, SignalOpenOptions, SignalSession } from '../signal.ts';
import { WampClient } from './wamp-client.ts';
import { OFFER_ERROR } from './wamp-message.ts';
import { CalleeSession, CallerSession, readDescription } from './wamp-session.ts';
import type { OpenWebSocket } from './web-socket.ts';

/** Options of `createWampSignal`; `address` and `nodeId` are required. */
export interface WampSignalOptions {
  /** The address of the router: 'wss://router.example/ws'. */
  readonly address: string;
  /**
   * The name of this node's procedure: its node id, or in a network of Babble nodes its public key
   * in hex. The router doesn't verify the id; the connection proves it.
   */
  readonly nodeId: string;
  /** The realm. Default 'main', as in Babble. */
  readonly realm?: string | undefined;
  /**
   * The time limit for answers from the router and from the other node, in milliseconds. Default
   * 5,000.
   */
  readonly timeout?: number | undefined;
  /**
   * Opens the WebSocket, for a router with a certificate of your own authority:
   * `(url, protocol) => new WebSocket(url, protocol, { ca })` with ws. Default: ws in Node, and
   * the native WebSocket in browsers.
   */
  readonly webSocket?: OpenWebSocket | undefined;
  /** The clock for timeouts. Default: the system's. */
  readonly clock?: Clock | undefined;
  /**
   * The source of randomness that varies the pauses between attempts to connect. Default: the
   * system's.
   */
  readonly random?: Random | undefined;
}

/** A node's access to a WAMP router. */
export interface WampSignal extends Signal, AsyncDisposable {
  /** Counts the users of this signal; without one, it leaves the router. See {@link Signal.ref}. */
  ref(on: boolean): void;
  /** Ends the registration and leaves the realm. Idempotent. */
  close(): Promise<void>;
}

/**
 * Creates a node's access to a WAMP router. It connects when it is first used. Throws a TypeError
 * if an option is invalid.
 */
export function createWampSignal(options: WampSignalOptions): WampSignal {
  parseOptions(schema, options, 'createWampSignal');
  return new Wamp(options);
}

const schema = optionsSchema({
  address: option.reference<string>(
    (value) => typeof value === 'string' && /^wss?:\/\/\S+$/.test(value),
    "an address such as 'wss://router.example/ws'",
  ),
  nodeId: option.text(),
  realm: option.optional(option.text()),
  timeout: option.optional(option.milliseconds()),
  webSocket: option.optional(option.callback<OpenWebSocket>()),
  clock: option.optional(
    option.reference<Clock>(
      (value) => typeof (value as Clock | null)?.setTimeout === 'function',
      'a Clock',
    ),
  ),
  random: option.optional(option.callback<Random>()),
});

/** Maximum number of offers from other nodes that may wait for their answers. */
const MOST_OFFERS = 64;
/** Milliseconds after which an offer that waits for its answer gives way to a new one. */
const PATIENCE = 1_000;
const CROWDED = 'too many offers wait for their answers';
/** The ids of nodes. The router doesn't check them, and they are shown to people. */
const ID = /^[\w.-]{1,256}$/;
/**
 * The interval at which a registered node calls itself to notice a dead connection or a lost
 * registration, in milliseconds.
 */
const CHECK_INTERVAL = 30_000;
/**
 * The pause before the node's first attempt to register again, in milliseconds; it doubles up to
 * the longest pause.
 */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;

interface Offer {
  readonly since: number;
  /** Refuses the offer, and ends its session. */
  end(error: TransportError): void;
  /** Ends the offer after the timeout. */
  readonly late: ClockTimer;
}

interface Listener {
  accept(session: SignalSession): void;
  readonly failed: ((error: TransportError) => void) | undefined;
}

class Wamp implements WampSignal {
  readonly nodeId: string;
  readonly trickle = false;
  readonly #options: Required<Pick<WampSignalOptions, 'address' | 'realm' | 'timeout'>> & {
    readonly webSocket: OpenWebSocket;
  };
  readonly #clock: Clock;
  readonly #random: Random;
  /** The offers that wait for their answers, the oldest first. */
  readonly #offers = new Map<CalleeSession, Offer>();
  #client: Promise<WampClient> | undefined;
  #listener: Listener | undefined;
  #registration: number | undefined;
  #check: ClockTimer;
  /** Set while the registration is lost; ends the attempts to register again when it aborts. */
  #restoring: AbortController | undefined;
  #users = 0;
  #isClosed = false;

  constructor(options: WampSignalOptions) {
    const { address, nodeId, realm = 'main', timeout = 5_000, webSocket = openWebSocket } = options;
    this.nodeId = nodeId;
    this.#options = { address, realm, timeout, webSocket };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async listen(
    accept: (session: SignalSession) => void,
    failed?: (error: TransportError) => void,
  ): Promise<void> {
    this.#listener = { accept, failed };
    try {
      await this.#register();
    } catch (error) {
      this.#listener = undefined;
      throw error;
    }
  }

  async unlisten(): Promise<void> {
    this.#listener = undefined;
    this.#clock.clearTimeout(this.#check);
    this.#restoring?.abort();
    this.#restoring = undefined;
    const registration = this.#registration;
    this.#registration = undefined;
    if (registration === undefined || this.#client === undefined) return;
    try {
      await (await this.#client).unregister(registration);
    } catch {
      // The session with the router has ended, and so is the registration.
    }
  }

  async open(target: string, { timeout, signal }: SignalOpenOptions): Promise<SignalSession> {
    signal?.throwIfAborted();
    const client = await this.#bounded(this.#join(), timeout, signal);
    return new CallerSession(target, (offer) => client.call(target, [this.nodeId, offer]));
  }

  ref(on: boolean): void {
    this.#users += on ? 1 : -1;
    if (this.#users === 0 && this.#listener === undefined) void this.#leave();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#isClosed = true;
    this.#restoring?.abort();
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    this.#lost(new TransportError('shutdown', 'this end has left the router'));
    (await client?.catch(() => undefined))?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Returns the session with the router; opens one if there is none. */
  #join(): Promise<WampClient> {
    if (this.#isClosed)
      return Promise.reject(new TransportError('shutdown', 'this signal is closed'));
    if (this.#client === undefined) {
      const { address, realm, timeout, webSocket } = this.#options;
      const client = WampClient.join({
        url: address,
        realm,
        timeout,
        clock: this.#clock,
        openWebSocket: webSocket,
        invoked: (request, args) => void this.#invoked(client, request, args),
        closed: (error) => {
          if (this.#client === client) this.#lost(error);
        },
      });
      this.#client = client;
      client.catch(() => {
        if (this.#client === client) this.#client = undefined;
      });
    }
    return this.#client;
  }

  /** Waits for the router, but no longer than a dial may take. */
  #bounded<T>(promise: Promise<T>, timeout: number, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      const timer = this.#clock.setTimeout(() => {
        const { address } = this.#options;
        reject(reasonError('dial_timeout', `${address}: not joined within ${inMs(timeout)}`));
      }, timeout);
      promise.then(resolve, reject).finally(() => {
        signal?.removeEventListener('abort', abort);
        this.#clock.clearTimeout(timer);
      });
    });
  }

  async #register(): Promise<void> {
    const client = await this.#join();
    this.#registration = await client.register(this.nodeId);
    this.#checkLater(client);
  }

  /**
   * Calls this node itself from time to time. Replaces a session that doesn't answer, or whose
   * router has lost the registration.
   */
  #checkLater(client: WampClient): void {
    this.#clock.clearTimeout(this.#check);
    this.#check = this.#clock.setTimeout(async () => {
      try {
        await client.call(this.nodeId, []);
      } catch (error) {
        const { reason } = error as TransportError;
        if (reason === 'dial_timeout' || reason === 'connection_refused') client.close();
      }
      if (this.#registration !== undefined) this.#checkLater(client);
    }, CHECK_INTERVAL);
  }

  async #invoked(joined: Promise<WampClient>, request: number, args: unknown): Promise<void> {
    const client = await joined;
    const [from, offer] = Array.isArray(args) ? args : [];
    if (from === undefined) return client.answer(request, []); // its own check
    const refuse = (text: string) => client.refuse(request, OFFER_ERROR, text);
    if (this.#listener === undefined) return refuse('the node accepts no sessions');
    if (typeof from !== 'string' || !ID.test(from))
      return refuse('the first argument is not an id');
    let description: unknown;
    try {
      description = readDescription(offer);
    } catch (error) {
      return refuse((error as Error).message);
    }
    if (!this.#hasRoom()) return refuse(CROWDED);
    const since = this.#clock.now();
    const end = (error: TransportError) => {
      this.#clock.clearTimeout(late);
      this.#offers.delete(session);
      session.cut(error);
      refuse(error.message);
    };
    const { timeout } = this.#options;
    const late = this.#clock.setTimeout(
      () => end(new TransportError('deadline_exceeded', `no answer within ${inMs(timeout)}`)),
      timeout,
    );
    const session: CalleeSession = new CalleeSession(from, description, (answer) => {
      this.#clock.clearTimeout(late);
      this.#offers.delete(session);
      if (typeof answer === 'string') client.answer(request, [answer]);
      else refuse(answer.message);
    });
    this.#offers.set(session, { since, end, late });
    this.#listener.accept(session);
  }

  /** Makes room for an offer if there is none: the oldest gives way if it has waited for long. */
  #hasRoom(): boolean {
    if (this.#offers.size < MOST_OFFERS) return true;
    const [oldest] = this.#offers.values();
    if (oldest!.since + PATIENCE > this.#clock.now()) return false;
    oldest!.end(new TransportError('resource_exhausted', CROWDED));
    return true;
  }

  #lost(error: TransportError): void {
    this.#client = undefined;
    this.#registration = undefined;
    this.#clock.clearTimeout(this.#check);
    for (const [session, { late }] of this.#offers) {
      this.#clock.clearTimeout(late);
      session.cut(error);
    }
    this.#offers.clear();
    if (this.#listener !== undefined && this.#restoring === undefined) void this.#restore();
  }

  /**
   * Retries the registration until it succeeds or nothing is listening anymore. The router may keep
   * the old registration for a while, so `address_in_use` isn't permanent here.
   */
  async #restore(): Promise<void> {
    const restoring = new AbortController();
    const { signal } = restoring;
    this.#restoring = restoring;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      await this.#clock.sleep(pause * (0.5 + this.#random() / 2), signal).catch(() => {});
      if (this.#listener === undefined || signal.aborted) break;
      try {
        await this.#register();
        if (this.#client !== undefined) break;
      } catch (error) {
        if ((error as TransportError).code === 'permission_denied') {
          const listener: Listener = this.#listener;
          this.#listener = undefined;
          listener.failed?.(error as TransportError);
          break;
        }
      }
    }
    if (this.#restoring === restoring) this.#restoring = undefined;
  }
}
