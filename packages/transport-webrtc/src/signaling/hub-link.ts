// A node's registered connection to its hub. It is opened when it is needed, and all its users
// share it.

import type { Identity } from '@trunkline/security';
import { type Remote, type Transport, TransportError } from '@trunkline/transport-core';
import { encodeKey, messageToSign } from './proof.ts';
import type { SignalingProtocol } from './protocol.ts';

/** The time limit for a registration once the hub is connected, in milliseconds. */
const REGISTRATION_TIME = 10_000;

/** The node that registers, and its hub. */
export interface HubLinkOptions {
  readonly hub: string;
  readonly realm: string;
  readonly identity: Identity;
}

/** The connection to a hub, registered for a node. */
export class HubLink {
  readonly #transport: Transport<SignalingProtocol>;
  readonly #options: HubLinkOptions;
  readonly #lost: (error: TransportError) => void;
  #remote: Promise<Remote> | undefined;
  /** Ends the registration when it aborts. */
  #ending = new AbortController();
  /** Resolves once `leave` has disconnected, so that the next dial opens a new connection. */
  #left: Promise<void> = Promise.resolve();

  /**
   * @param lost receives the reason when a registration that was complete has ended, unless `leave`
   * has ended it.
   */
  constructor(
    transport: Transport<SignalingProtocol>,
    options: HubLinkOptions,
    lost: (error: TransportError) => void,
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#lost = lost;
  }

  /** True if the node is registered or is about to be. */
  get isUp(): boolean {
    return this.#remote !== undefined;
  }

  /**
   * Returns the connection; opens and registers one if there is none. Rejects with the error of the
   * dial or of the registration; the next call then tries again.
   */
  reach(): Promise<Remote> {
    if (this.#remote === undefined) {
      const ending = new AbortController();
      const remote = this.#left.then(() => this.#register(ending));
      this.#ending = ending;
      this.#remote = remote;
      remote.catch(() => {
        if (this.#remote === remote) this.#remote = undefined;
      });
    }
    return this.#remote;
  }

  /** Ends the registration; the connection closes once its other calls have ended. */
  leave(): void {
    const remote = this.#remote;
    if (remote === undefined) return;
    this.#remote = undefined;
    this.#ending.abort(new TransportError('cancelled', 'no transport uses the signal'));
    this.#left = remote.then(
      (up) => void this.#transport.disconnect(up),
      () => {},
    );
  }

  async #register(ending: AbortController): Promise<Remote> {
    const { hub, realm, identity } = this.#options;
    const transport = this.#transport;
    const remote = await transport.dial(hub, { signal: ending.signal });
    const text = `${hub} didn't register this node within 10 s`;
    const end = () => ending.abort(new TransportError('deadline_exceeded', text));
    const late = transport.clock.setTimeout(end, REGISTRATION_TIME);
    try {
      let answer: (signature: Uint8Array) => void = () => {};
      const signature = new Promise<Uint8Array>((resolve) => {
        answer = resolve;
      });
      const items = await transport.send(
        remote,
        'register',
        { hub, realm, publicKey: encodeKey(identity.publicKey) },
        { upload: once(signature), signal: ending.signal },
      );
      const call = items[Symbol.asyncIterator]();
      const challenge = await nextItem(call);
      if (challenge.length > 0) {
        answer(identity.sign(messageToSign({ hub, realm }, challenge)));
        await nextItem(call);
      }
      void this.#watch(call, ending.signal);
      return remote;
    } finally {
      transport.clock.clearTimeout(late);
    }
  }

  /** Waits for the end of the registration, and reports it unless `leave` has ended it. */
  async #watch(call: AsyncIterator<Uint8Array>, ending: AbortSignal): Promise<void> {
    let error = new TransportError('unavailable', 'the hub ended the registration');
    try {
      await nextItem(call);
      await call.return?.();
    } catch (cause) {
      error = cause as TransportError;
    }
    if (ending.aborted) return;
    this.#remote = undefined;
    this.#lost(error);
  }
}

/** Returns the next item of a call; throws `unavailable` if there is none. */
export async function nextItem(call: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const { done, value } = await call.next();
  if (done === true) throw new TransportError('unavailable', 'the other end ended the call early');
  return value;
}

async function* once(item: Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield await item;
}
