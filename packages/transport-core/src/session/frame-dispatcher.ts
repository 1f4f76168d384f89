// Dispatches the frames of an established session by their kind to the part that handles them.

import { Account, type Frame, Kind, UNKNOWN_KINDS } from '../wire/frame.ts';
import type { Answers } from './answers.ts';
import type { Callee } from './callee.ts';
import type { Channels } from './channels.ts';
import type { Liveness } from './liveness.ts';
import type { Outbox } from './outbox.ts';
import type { SessionContext } from './session-context.ts';
import type { PipeWindow } from './window.ts';

export class FrameDispatcher {
  /** The peer has sent GO_AWAY, so it may open nothing more. */
  peerLeft = false;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #answers: Answers;
  readonly #callee: Callee;
  readonly #channels: Channels;
  readonly #liveness: Liveness;
  readonly #window: PipeWindow;
  /** The parity of our own call ids. */
  readonly #parity: 0 | 1;

  constructor(
    context: SessionContext,
    outbox: Outbox,
    answers: Answers,
    callee: Callee,
    channels: Channels,
    liveness: Liveness,
    window: PipeWindow,
    parity: 0 | 1,
  ) {
    this.#context = context;
    this.#outbox = outbox;
    this.#answers = answers;
    this.#callee = callee;
    this.#channels = channels;
    this.#liveness = liveness;
    this.#window = window;
    this.#parity = parity;
  }

  /**
   * Handles the most common kinds of frames. The function is small so that V8 inlines it into the
   * loop that reads them.
   */
  dispatch(frame: Frame): void {
    const { kind } = frame;
    if (kind === Kind.RESPONSE) this.#answers.response(frame);
    else if (kind === Kind.REQUEST) {
      if (this.#opens(frame)) this.#callee.request(frame);
    } else if (kind === Kind.ONEWAY) {
      if (this.#opens(frame)) this.#callee.oneway(frame);
    } else this.#rarer(frame);
  }

  /**
   * Returns the memory for the next packet of an incoming long message; undefined if there is none.
   */
  place(id: number, length: number): Uint8Array | undefined {
    if (this.#isOurs(id)) return this.#answers.assembly(id)?.room(length);
    const call = this.#callee.ids.get(id);
    return (call?.assembly ?? call?.upload?.assembly)?.room(length);
  }

  #rarer(frame: Frame): void {
    const { kind, id } = frame;
    switch (kind) {
      case Kind.ITEM:
        return this.#isOurs(id) ? this.#answers.item(frame) : this.#callee.item(frame);
      case Kind.PART:
        return this.#isOurs(id) ? this.#answers.part(frame) : this.#callee.part(frame);
      case Kind.END:
        return this.#isOurs(id) ? this.#answers.end(frame) : this.#callee.end(frame);
      case Kind.ERROR:
        return this.#answers.error(frame);
      case Kind.CANCEL:
        return this.#callee.cancel(frame);
      case Kind.CREDIT:
        return this.#credit(frame);
      case Kind.PING:
        return this.#ping(id);
      case Kind.PONG:
        return this.#pong(id);
      case Kind.PROTOCOLS:
        return this.#protocols(frame);
      default:
        if (kind < UNKNOWN_KINDS)
          return this.#context.violation(
            'malformed',
            `a frame of kind ${kind}, which is not allowed here`,
          );
        this.#context.count('unknownFrame', 1);
        this.#context.abused();
    }
  }

  /** Returns true if the peer may open this call. */
  #opens(frame: Frame): boolean {
    const { id } = frame;
    // A short one-way has no id.
    const isTheirs =
      id === 0 ? frame.kind === Kind.ONEWAY && frame.size === 0 : (id & 1) !== this.#parity;
    return (isTheirs && frame.method !== 0 && !this.peerLeft) || this.#mayOpen(frame);
  }

  #mayOpen(frame: Frame): boolean {
    const named = frame.kind === Kind.REQUEST || frame.size > 0;
    if (this.peerLeft) this.#context.violation('malformed', 'it opened a call after its GO_AWAY');
    else if (named && (frame.id === 0 || this.#isOurs(frame.id)))
      this.#context.violation(
        'malformed',
        `it opened call ${frame.id}, an id that belongs to this end`,
      );
    else if (frame.method === 0) this.#context.violation('malformed', 'it called method 0');
    else return true;
    return false;
  }

  #isOurs(id: number): boolean {
    return (id & 1) === this.#parity && id !== 0;
  }

  #credit(frame: Frame): void {
    const { account, credit, id, channel } = frame;
    if (credit > 0) {
      if (account === Account.STREAM)
        return this.#isOurs(id) ? this.#answers.credit(frame) : this.#callee.credit(frame);
      if (account === Account.PIPE || account === Account.REPLY) {
        if (this.#outbox.grant(account, credit)) return;
      } else if (account === Account.SHORT || account === Account.LONG) {
        // A channel unknown to this end was never sent anything, so its credit is ignored.
        const known = this.#channels.known(channel);
        if (known === undefined || this.#outbox.grantChannel(known.lanes, account, credit)) return;
      }
    }
    this.#context.violation('malformed', `CREDIT of ${credit} for account ${account}`);
  }

  /** Answers a PING whatever is queued, as long as the peer does not send too many of them. */
  #ping(id: number): void {
    if (this.#context.abused()) this.#outbox.control(Kind.PONG, id);
  }

  #pong(nonce: number): void {
    const { now, active, port } = this.#context;
    const rtt = this.#liveness.pong(nonce, now);
    if (rtt === undefined) return void this.#context.abused();
    this.#window.pong(rtt, now);
    port.wakeBy(this.#liveness.due(active));
  }

  #protocols(frame: Frame): void {
    if (!this.#context.abused()) return;
    const wrong = this.#channels.learn(frame.hello);
    if (wrong !== undefined) this.#context.violation('malformed', `its PROTOCOLS has ${wrong}`);
  }
}
