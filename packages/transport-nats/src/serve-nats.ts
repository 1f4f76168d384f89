// Exposes the methods of a transport as plain NATS services, for the nats CLI and for clients that
// know nothing of Trunkline.

import { headers, type Msg, type NatsConnection, type PublishOptions } from '@nats-io/nats-core';
import {
  type MethodDefinition,
  type Protocol,
  systemRandom,
  type Target,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { cleanText, option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { serviceOf } from '@trunkline/transport-core/internal';
import { isName } from './nats-address.ts';
import { randomId } from './random-id.ts';
import { statusOf } from './service-errors.ts';
import { decodePayload, encodePayload } from './service-payload.ts';
import { ServiceRecord } from './service-record.ts';
import { ServiceSubscriptions } from './service-subscriptions.ts';

/** Options of `serveNats`; `connection` is required. */
export interface ServeNatsOptions<P extends Protocol> {
  /**
   * The NATS connection on which the services listen. It stays yours: `stop` does not close it. It
   * may reconnect; the services then continue.
   */
  readonly connection: NatsConnection;
  /**
   * The target of the requests. Default: the transport itself, at its `advertiseAddr()`; until it
   * listens, requests fail with `failed_precondition`.
   */
  readonly target?: Target | undefined;
  /** The name of the service: letters, digits, '_' and '-'. Default: the protocol's name. */
  readonly name?: string | undefined;
  /** The version of the service: '1.0.0'. Default: the protocol's version, followed by '.0.0'. */
  readonly version?: string | undefined;
  /** A description of the service, which `nats micro info` shows. Default: none. */
  readonly description?: string | undefined;
  /** The unary and one-way methods to expose. Default: all such methods. */
  readonly methods?: readonly (keyof P['methods'] & string)[] | undefined;
  /** The subject that precedes the methods' names. Default: the name of the service. */
  readonly subject?: string | undefined;
  /**
   * The queue group: each request reaches one of the processes that expose the service. Default
   * 'q', as for all NATS services.
   */
  readonly queue?: string | undefined;
  /** Maximum number of requests under way; further ones are refused with error 429. Default 256. */
  readonly concurrency?: number | undefined;
}

/** Services that are exposed. */
export interface NatsService {
  /** The id of this instance, as `$SRV.PING` reports it. */
  readonly id: string;
  /**
   * Stops taking requests, and resolves when all requests under way have been answered. Idempotent.
   * If `connection` closes or drains first, these requests get no response, and `stop` resolves
   * when their calls have ended.
   */
  stop(): Promise<void>;
}

/**
 * Answers NATS requests to '<name>.<method>' with the method's response. Requests and responses are
 * in the method's own encoding: JSON if its codec is `json`. An error is answered with the headers
 * `Nats-Service-Error` and `Nats-Service-Error-Code`. The services also answer PING, INFO and STATS
 * on `$SRV`, so that `nats micro list` finds them.
 *
 * If the server revokes a subscription of the services, the transport's observer gets
 * `listenFailed`, the node is not ready, and the services subscribe again with a back-off of 5 ms,
 * doubling up to 1 s.
 *
 * @throws TypeError for an invalid option, and for a method that streams or does not exist. Throws
 * an error of the NATS client if `connection` is closed or drains.
 */
export function serveNats<P extends Protocol>(
  transport: Transport<P>,
  options: ServeNatsOptions<P>,
): NatsService {
  parseOptions(schema, options, 'serveNats');
  return new Service(transport as unknown as Transport, options as ServeNatsOptions<Protocol>);
}

class Service implements NatsService {
  readonly id = randomId(systemRandom);
  readonly #transport: Transport;
  readonly #connection: NatsConnection;
  readonly #target: () => Target;
  readonly #record: ServiceRecord;
  readonly #subscriptions: ServiceSubscriptions;
  readonly #concurrency: number;
  #underWay = 0;
  #idle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(transport: Transport, options: ServeNatsOptions<Protocol>) {
    const { protocol } = transport;
    const { connection, target, name = protocol.name, version, description = '' } = options;
    const { subject = name, queue = 'q', concurrency = CONCURRENCY } = options;
    if (!/^[\w-]+$/.test(name))
      throw new TypeError(
        `serveNats: name: must have only letters, digits, '_' and '-', got '${name}'; set 'name'`,
      );
    this.#transport = transport;
    this.#connection = connection;
    this.#target = () => target ?? transport.advertiseAddr();
    this.#concurrency = concurrency;
    const methods = exposedMethods(protocol, options.methods);
    this.#record = new ServiceRecord({
      name,
      id: this.id,
      version: version ?? `${protocol.version}.0.0`,
      description,
      endpoints: methods.map(([method]) => ({
        name: method,
        subject: `${subject}.${method}`,
        queue_group: queue,
      })),
    });
    this.#subscriptions = new ServiceSubscriptions(connection, serviceOf(transport, 'serveNats'));
    for (const [method, definition] of methods)
      this.#subscriptions.add(`${subject}.${method}`, queue, (message) =>
        this.#request(method, definition, message),
      );
    for (const [verb, answer] of Object.entries(this.#record.verbs))
      for (const suffix of ['', `.${name}`, `.${name}.${this.id}`])
        this.#subscriptions.add(`$SRV.${verb}${suffix}`, undefined, (message) =>
          respond(message, JSON.stringify(answer())),
        );
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    // Requests that the server has already sent still arrive, and are answered.
    await this.#subscriptions.drain();
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    // A flush that is under way when the connection closes never settles.
    await Promise.race([this.#connection.flush(), this.#connection.closed()]).catch(() => {});
  }

  #request(method: string, definition: MethodDefinition, message: Msg): void {
    const finish = this.#record.begin(method, this.#transport.clock.now());
    const done = (error?: TransportError) => {
      finish(this.#transport.clock.now(), error?.message);
      if (error !== undefined) this.#fail(message, error);
    };
    if (this.#underWay >= this.#concurrency)
      return done(
        new TransportError(
          'resource_exhausted',
          `${method}: ${this.#concurrency} requests are under way already (concurrency); retry later`,
        ),
      );
    this.#underWay++;
    this.#call(method, definition, message)
      .then(
        () => done(),
        (error) => done(error instanceof TransportError ? error : unexpected(method, error)),
      )
      .finally(() => {
        this.#underWay--;
        if (this.#underWay === 0) this.#idle?.();
      });
  }

  async #call(
    method: string,
    { request, response }: MethodDefinition,
    message: Msg,
  ): Promise<void> {
    const value = decodePayload(request, message.data);
    const result: unknown = await this.#transport
      .send(this.#target(), method, value as never)
      .catch((error) => {
        throw forwarded(method, error);
      });
    message.respond(response && encodePayload(response, result));
  }

  #fail(message: Msg, { code, message: text }: TransportError): void {
    const fields = headers();
    fields.set('Nats-Service-Error', cleanText(text));
    fields.set('Nats-Service-Error-Code', String(statusOf(code)));
    fields.set('Trunkline-Code', code);
    respond(message, '', { headers: fields });
  }
}

/**
 * Responds, unless the NATS client refuses that: the connection drains or is closed, or the
 * response exceeds the server's `max_payload`.
 */
function respond(message: Msg, data: string, options?: PublishOptions): void {
  try {
    message.respond(data, options);
  } catch {
    // The requester gets no response.
  }
}

/** Returns the methods to expose by name; throws a TypeError for a method that can't be exposed. */
function exposedMethods(
  { name, methods }: Protocol,
  wanted: readonly string[] | undefined,
): [string, MethodDefinition][] {
  const all = Object.entries(methods);
  if (wanted === undefined) return all.filter(([, method]) => !streams(method));
  return wanted.map((each) => {
    const method = Object.hasOwn(methods, each) ? methods[each] : undefined;
    if (method === undefined)
      throw new TypeError(`serveNats: methods: protocol '${name}' has no method '${each}'`);
    if (streams(method))
      throw new TypeError(
        `serveNats: methods: '${each}' streams, and a NATS request has one request and one response`,
      );
    return [each, method];
  });
}

function streams({ upload, download }: MethodDefinition): boolean {
  return upload !== undefined || download !== undefined;
}

/**
 * Returns the error of a call for a NATS client. The text of an error that names a target could
 * show its address, so it is replaced, unless the peer sent it or the request is invalid.
 */
function forwarded(method: string, error: unknown): unknown {
  if (!(error instanceof TransportError)) return error;
  const { code, origin, target } = error;
  return origin === 'remote' || target === undefined || code === 'invalid_argument'
    ? error
    : new TransportError(code, `${method}: the call of its service failed`);
}

function unexpected(method: string, error: unknown): TransportError {
  return new TransportError('internal', `${method}: ${String(error)}`, { cause: error });
}

const isText = (value: unknown): boolean => typeof value === 'string';

const schema = optionsSchema({
  connection: option.reference<NatsConnection>(
    (value) => typeof (value as NatsConnection | null)?.subscribe === 'function',
    'a NATS connection, as connect() of @nats-io/transport-node returns it',
  ),
  target: option.optional(
    option.reference<Target>((value) => isText(value) || typeof value === 'object', 'an address'),
  ),
  name: option.optional(option.text()),
  version: option.optional(
    option.reference<string>(
      (value) => isText(value) && /^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/.test(value as string),
      "a version such as '1.0.0'",
    ),
  ),
  description: option.optional(option.text(1_024)),
  methods: option.optional(
    option.reference<readonly string[]>(Array.isArray, 'a list of method names'),
  ),
  subject: option.optional(
    option.reference<string>((value) => isText(value) && isName(value as string), 'a NATS subject'),
  ),
  queue: option.optional(
    option.reference<string>((value) => isText(value) && isName(value as string), 'a queue group'),
  ),
  concurrency: option.optional(
    option.reference<number>(
      (value) => Number.isInteger(value) && (value as number) > 0,
      'above 0',
    ),
  ),
});

/** The default of `concurrency`. */
const CONCURRENCY = 256;
