// Applies the rules of a protocol and of its server to each call of a peer. A call waits while a
// rule returns a promise.

import { stackless, TransportError } from '../errors.ts';
import type { AllowCall } from '../interceptors.ts';
import { HANDLER, type InCall, type InChannel } from '../session/in-call.ts';
import { NO_METADATA, withhold } from './rpc.ts';

/** The inbox as the permissions of its calls see it. */
interface AskingInbox {
  readonly closed: boolean;
  /** Receives a call again after it has waited for its permission. */
  arrive(call: InCall): void;
  uncrowded(channel: InChannel): void;
  deny(call: InCall, error: TransportError): void;
}

/** True if the call is allowed; otherwise the error for its caller. */
type Answer = true | TransportError;

/** Decides which calls of one inbox are handed over. */
export class Permissions {
  /** The rule for calls to all methods. */
  readonly allow: AllowCall | undefined;
  /** Set while the node accepts only one-ways. */
  refusal: TransportError | undefined = undefined;
  readonly #inbox: AskingInbox;
  readonly #failed: (callback: string, error: unknown) => void;

  /** @param failed receives the errors of rules that are not meant for callers. */
  constructor(
    inbox: AskingInbox,
    allow: AllowCall | undefined,
    failed: (callback: string, error: unknown) => void,
  ) {
    this.#inbox = inbox;
    this.allow = allow;
    this.#failed = failed;
  }

  /**
   * Returns true if the caller may make the call. Otherwise the call was refused, or it waits.
   *
   * @param rule the rule of the reader.
   */
  permits(call: InCall, rule: AllowCall | undefined): boolean {
    if (call.permitted) return true;
    if (this.refusal !== undefined && call.definition.kind !== 'oneway') {
      this.#inbox.deny(call, this.refusal);
      return false;
    }
    const first = this.#ask(this.allow, call);
    const answer = first === true ? this.#ask(rule, call) : first;
    if (answer === true) return true;
    if (answer instanceof TransportError) this.#inbox.deny(call, answer);
    else this.#await(call, first === true ? answer : this.#both(answer, rule, call));
    return false;
  }

  /** Asks one rule. The promise that it may return never rejects. */
  #ask(rule: AllowCall | undefined, call: InCall): Answer | Promise<Answer> {
    if (rule === undefined) return true;
    const { from, definition: method, fields: metadata } = call;
    const given = metadata === undefined ? NO_METADATA : Object.freeze(metadata);
    try {
      const answer = rule(from!, method.name, given);
      if (answer === true) return true;
      return answer === false ? denied(call) : this.#later(answer, call);
    } catch (error) {
      return this.#refusal(error, call);
    }
  }

  #later(answer: PromiseLike<boolean>, call: InCall): Promise<Answer> {
    return Promise.resolve(answer).then(
      (isAllowed) => isAllowed === true || denied(call),
      (error) => this.#refusal(error, call),
    );
  }

  /** Asks the second rule when the first one has allowed the call. */
  async #both(
    first: PromiseLike<Answer>,
    rule: AllowCall | undefined,
    call: InCall,
  ): Promise<Answer> {
    const answer = await first;
    return answer === true ? this.#ask(rule, call) : answer;
  }

  #refusal(error: unknown, call: InCall): TransportError {
    const withheld = withhold(call, error);
    if (withheld === undefined && error instanceof TransportError) return error;
    this.#failed('allow', error);
    return withheld ?? denied(call);
  }

  /** Lets a call wait for the answer of a rule; it counts as being handled meanwhile. */
  #await(call: InCall, asked: PromiseLike<Answer>): void {
    const inbox = this.#inbox;
    const { channel, payload } = call;
    let isWaiting = true;
    const ended = () => {
      if (isWaiting) call.handled();
      isWaiting = false;
    };
    call.carrier.started(call, HANDLER);
    call.whenGone(ended);
    void asked.then((answer) => {
      ended();
      if (channel.crowded) inbox.uncrowded(channel);
      if (inbox.closed || (!call.open && call.definition.kind !== 'oneway')) return;
      if (answer !== true) return inbox.deny(call, answer);
      call.permit(payload);
      inbox.arrive(call);
    });
  }
}

function denied({ definition: method }: InCall): TransportError {
  return stackless('permission_denied', `'${method.full}': this peer may not call it`, {
    reason: 'denied',
  });
}
