// A small WAMP v2 client: one session with a router, as a caller and a callee, in JSON over
// WebSocket. It knows nothing of signaling.

import { type Clock, type ClockTimer, TransportError } from '@trunkline/transport-core';
import { inMs, reasonError } from '@trunkline/transport-core/backend';
import { parseWampMessage, Wamp, type WampMessage, wampError } from './wamp-message.ts';
import { LONGEST_MESSAGE, type OpenWebSocket, type WebSocketLike } from './web-socket.ts';

/** Maximum number of requests that may wait for the router at a time. */
const MOST_REQUESTS = 256;

/** Options of a client: its router, and the receiver of the router's messages. */
export interface WampClientOptions {
  readonly url: string;
  readonly realm: string;
  readonly clock: Clock;
  /** The time limit for each request, in milliseconds. */
  readonly timeout: number;
  readonly openWebSocket: OpenWebSocket;
  /** Receives a call from another node; it is answered with `answer` or `refuse`. */
  invoked(request: number, args: unknown): unknown;
  /** Reports the end of a session, by either end, once `join` has resolved. Called at most once. */
  closed(error: TransportError): void;
}

interface Request {
  readonly target: string;
  readonly timer: ClockTimer;
  resolve(fields: readonly unknown[]): void;
  reject(error: TransportError): void;
}

/** A session with a router. */
export class WampClient {
  readonly #options: WampClientOptions;
  readonly #socket: WebSocketLike;
  /** The requests that wait, by their ids; HELLO has the id 0. */
  readonly #requests = new Map<number, Request>();
  #lastId = 0;
  #isOpen = false;
  #error: TransportError | undefined;

  private constructor(options: WampClientOptions, socket: WebSocketLike) {
    this.#options = options;
    this.#socket = socket;
    this.#socket.onopen = () => this.#send(Wamp.HELLO, options.realm, { roles: ROLES });
    this.#socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    this.#socket.onerror = () => {}; // The end is reported by onclose.
    this.#socket.onclose = () =>
      this.#end(reasonError('disconnected', `${options.url}: the router closed the connection`));
  }

  /**
   * Connects and joins the realm. Rejects with `unavailable`, with the error of the router, with
   * the error of a session that ends at once, with the TransportError that `openWebSocket` throws,
   * or with `invalid_argument` if it throws another one.
   */
  static async join(options: WampClientOptions): Promise<WampClient> {
    let client: WampClient;
    try {
      const opened = options.openWebSocket(options.url, 'wamp.2.json');
      // A socket may have events as soon as it is there.
      client = new WampClient(options, opened instanceof Promise ? await opened : opened);
    } catch (cause) {
      if (cause instanceof TransportError) throw cause;
      throw new TransportError('invalid_argument', `${options.url}: not a WebSocket address`, {
        cause,
      });
    }
    await client.#wait(0, options.url);
    // The session may have ended since WELCOME, in the same turn.
    if (client.#error !== undefined) throw client.#error;
    client.#isOpen = true;
    return client;
  }

  /**
   * Registers a procedure; resolves to the id of the registration. This, `unregister` and `call`
   * reject with `dial_timeout` after the timeout, `resource_exhausted` if MOST_REQUESTS wait, or
   * the error with which the router answers or the session ends.
   */
  async register(procedure: string): Promise<number> {
    const [registration] = await this.#request(Wamp.REGISTER, procedure, [{}, procedure]);
    return Number(registration);
  }

  async unregister(registration: number): Promise<void> {
    await this.#request(Wamp.UNREGISTER, 'unregister', [registration]);
  }

  /** Calls a procedure; resolves to the arguments of its result. */
  async call(procedure: string, args: readonly unknown[]): Promise<unknown> {
    const [, result] = await this.#request(Wamp.CALL, procedure, [{}, procedure, args]);
    return result;
  }

  /** Answers a call from another node. */
  answer(request: number, args: readonly unknown[]): void {
    this.#send(Wamp.YIELD, request, {}, args);
  }

  /** Answers a call from another node with an error. */
  refuse(request: number, uri: string, text: string): void {
    this.#send(Wamp.ERROR, Wamp.INVOCATION, request, {}, uri, [text]);
  }

  /** Ends the session. Idempotent. */
  close(): void {
    if (this.#error === undefined) this.#send(Wamp.GOODBYE, {}, 'wamp.close.close_realm');
    this.#end(new TransportError('shutdown', 'this end has closed the session'));
  }

  #request(type: number, target: string, fields: readonly unknown[]): Promise<readonly unknown[]> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#requests.size >= MOST_REQUESTS)
      return Promise.reject(
        new TransportError('resource_exhausted', `${MOST_REQUESTS} requests wait for the router`),
      );
    this.#lastId++;
    this.#send(type, this.#lastId, ...fields);
    return this.#wait(this.#lastId, target);
  }

  #wait(id: number, target: string): Promise<readonly unknown[]> {
    const { clock, timeout, url } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        const error = reasonError('dial_timeout', `${target}: no answer within ${inMs(timeout)}`, {
          target,
        });
        if (id === 0)
          this.#end(reasonError('dial_timeout', `${url}: not joined within ${inMs(timeout)}`));
        else this.#settle(id)?.reject(error);
      }, timeout);
      this.#requests.set(id, { target, timer, resolve, reject });
    });
  }

  #settle(id: unknown): Request | undefined {
    const request = this.#requests.get(id as number);
    if (request === undefined) return undefined;
    this.#requests.delete(id as number);
    this.#options.clock.clearTimeout(request.timer);
    return request;
  }

  #receive(data: unknown): void {
    const isShort = typeof data === 'string' && data.length <= LONGEST_MESSAGE;
    const message = isShort ? parseWampMessage(data) : undefined;
    if (message === undefined)
      this.#end(reasonError('malformed', `${this.#options.url}: the router sent no WAMP message`));
    else if (this.#error === undefined) this.#handle(message);
  }

  #handle({ type, fields }: WampMessage): void {
    switch (type) {
      case Wamp.WELCOME:
        this.#settle(0)?.resolve(fields);
        return;
      case Wamp.ABORT:
        this.#end(wampError(fields[1], undefined, this.#options.url));
        return;
      case Wamp.GOODBYE:
        this.#send(Wamp.GOODBYE, {}, 'wamp.close.goodbye_and_out');
        this.#end(reasonError('closed', `${this.#options.url}: the router ended the session`));
        return;
      case Wamp.REGISTERED:
      case Wamp.UNREGISTERED:
      case Wamp.RESULT:
        this.#settle(fields[0])?.resolve(fields.slice(1));
        return;
      case Wamp.ERROR: {
        const request = this.#settle(fields[1]);
        request?.reject(wampError(fields[3], fields[4], request.target));
        return;
      }
      case Wamp.INVOCATION:
        if (typeof fields[0] === 'number') this.#options.invoked(fields[0], fields[3]);
    }
  }

  #send(...message: unknown[]): void {
    if (this.#error !== undefined) return;
    try {
      this.#socket.send(JSON.stringify(message));
    } catch {
      // The socket isn't open anymore; its end is reported by onclose.
    }
  }

  #end(error: TransportError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#socket.close();
    for (const id of [...this.#requests.keys()]) this.#settle(id)?.reject(error);
    if (this.#isOpen) this.#options.closed(error);
  }
}

const ROLES = { caller: {}, callee: {} };
