// An outgoing call as client interceptors see it.

import { TransportError } from '../errors.ts';
import type { ClientCall } from '../interceptors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { OwnOptions } from '../rpc/call.ts';
import { checkOptions, nameOf } from './call-start.ts';
import type { AnyTransport, Target } from './types.ts';

/** The mount of the protocol, as its intercepted calls see it. */
interface CallMount {
  readonly protocol: { readonly name: string };
  readonly timeout: number;
}

/** A call that interceptors may change before it is made. */
export class InterceptedCall implements ClientCall {
  target: Target = '';
  /** The transport that makes the call, for interceptors of the project's own packages. */
  transport: AnyTransport | undefined = undefined;
  request: unknown = undefined;
  metadata: Readonly<Record<string, string>>;
  upload: AsyncIterable<unknown> | undefined;
  signal: AbortSignal | undefined;
  /** The definition of its method. */
  readonly definition: ProtocolMethod;
  /** The options as the caller gave them. */
  readonly given: OwnOptions;
  private readonly mount: CallMount;
  private readonly startedAt: number;

  /** Creates a call without its target and its request, which the creator sets. */
  constructor(mount: CallMount, definition: ProtocolMethod, now: number, given: OwnOptions) {
    this.metadata = given.metadata ?? NO_METADATA;
    this.upload = given.upload as AsyncIterable<unknown> | undefined;
    this.signal = given.signal;
    this.definition = definition;
    this.given = given;
    this.mount = mount;
    this.startedAt = now;
  }

  get protocol(): string {
    return this.mount.protocol.name;
  }

  get method(): string {
    return this.definition.name;
  }

  get kind(): ClientCall['kind'] {
    return this.definition.kind;
  }

  get deadline(): number | undefined {
    const { definition, given, mount, startedAt } = this;
    const usual = definition.flags === 0 ? (definition.timeout ?? mount.timeout) : undefined;
    const timeout = given.timeout ?? usual;
    return timeout === undefined || timeout === Number.POSITIVE_INFINITY
      ? undefined
      : startedAt + timeout;
  }

  /**
   * Returns the options with which the call is made. The time that interceptors took counts toward
   * the timeout.
   *
   * @throws what `checkOptions` throws for values that an interceptor has set, and
   * `deadline_exceeded`.
   */
  options(now: number): OwnOptions {
    const { given, metadata, upload, signal, startedAt } = this;
    if (
      now === startedAt &&
      metadata === (given.metadata ?? NO_METADATA) &&
      upload === given.upload &&
      signal === given.signal
    )
      return given;
    const deadline = now === startedAt ? undefined : this.deadline;
    const timeout = deadline === undefined ? given.timeout : deadline - now;
    if (timeout !== undefined && timeout <= 0) throw this.#expired();
    const options = {
      timeout,
      metadata: metadata === NO_METADATA ? undefined : metadata,
      upload,
      signal,
    };
    return checkOptions(this.definition, options);
  }

  #expired(): TransportError {
    const target = nameOf(this.target);
    const message = `${this.definition.full} to ${target}: its deadline passed before it was sent; interceptors took the time`;
    return new TransportError('deadline_exceeded', message, { sent: false, target });
  }
}

/** Shared by all calls without metadata. */
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});
