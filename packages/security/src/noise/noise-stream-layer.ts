// A stream layer that secures another one with Noise. The underlying layer dials and listens; the
// handshake is done here.

import { type Random, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  type HandshakeSlot,
  inMs,
  type ListenOptions,
  randomBytes,
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import type { Identity } from '../identity/identity.ts';
import type { PeerListsUpdate } from '../identity/node-filter.ts';
import { KEY, type KeyPair, type Suite } from './framework/suite.ts';
import type { LayerResources } from './noise-connection.ts';
import { Opening } from './opening.ts';
import { Greeting } from './wire/greeting.ts';
import type { HandshakeRole } from './wire/identity-proof.ts';
import { screenMessage1 } from './wire/preamble.ts';

/**
 * A stream layer whose connections are encrypted and whose ends have proven their node ids
 * (`nodeId`).
 */
export interface NoiseStreamLayer extends StreamLayer {
  /**
   * Replaces the lists immediately. Live connections to nodes that are no longer wanted are aborted
   * with `denied` at both ends. Throws a TypeError that names the flaw if a list is invalid.
   */
  updatePeers(lists: PeerListsUpdate): void;
}

export interface LayerInit extends LayerResources {
  readonly identity: Pick<Identity, 'publicKey' | 'sign'>;
  readonly suite: Suite;
  readonly random: Random;
}

export class SecureLayer implements NoiseStreamLayer {
  readonly #inner: StreamLayer;
  readonly #init: LayerInit;
  readonly #staticKey: KeyPair;
  /** The functions that end the connections that are not secured yet, one for each. */
  readonly #pending = new Set<() => void>();
  /**
   * Incremented by each `close`. A dial that has not begun its handshake is not in `#pending`, and
   * fails when this number has changed.
   */
  #epoch = 0;

  constructor(inner: StreamLayer, init: LayerInit) {
    this.#inner = inner;
    this.#init = init;
    this.#staticKey = this.#drawKey();
  }

  listen(
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    return this.#inner.listen(
      (connection, slot) => this.#meet(connection, slot, accept, options),
      failed,
      options && { ...options, screen: screenMessage1 },
    );
  }

  stopListening(): void {
    if (this.#inner.stopListening === undefined) void this.#inner.close().catch(() => {});
    else this.#inner.stopListening();
  }

  async dial(address: string, options: DialOptions): Promise<StreamConnection> {
    const { timeout, signal, nodeId } = options;
    const due = this.#init.clock.now() + timeout;
    const epoch = this.#epoch;
    const inner = await this.#inner.dial(address, options);
    const isClosed = epoch !== this.#epoch;
    if (signal?.aborted || isClosed || inner.frames !== undefined) {
      inner.destroy();
      throw signal?.aborted ? signal.reason : isClosed ? CLOSED : needsBytes(address);
    }
    return new Promise((resolve, reject) => {
      const settle = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(onClose);
      };
      const giveUp = (reason: unknown) => {
        settle();
        opening.drop();
        reject(reason);
      };
      const onAbort = () => giveUp(signal?.reason);
      const onClose = () => giveUp(CLOSED);
      const greeting = this.#greet('initiator');
      const opening = new Opening(this.#init, inner, {
        greeting,
        dialed: nodeId,
        timeout: due - this.#init.clock.now(),
        late: () =>
          reasonError(
            'dial_timeout',
            `the noise handshake was not complete after ${inMs(timeout)} (dialTimeout)`,
          ),
        done(connection) {
          settle();
          resolve(connection);
        },
        failed(error) {
          settle();
          reject(cannotConnect(address, error));
        },
      });
      this.#pending.add(onClose);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        opening.begin(greeting.begin());
      } catch (error) {
        giveUp(error);
      }
    });
  }

  /**
   * Handles a connection that was accepted by the underlying layer: asks the limiter for a
   * handshake slot unless that layer has one, waits for its turn, and hands the connection over
   * once it is secured.
   */
  #meet(
    inner: StreamConnection,
    given: HandshakeSlot | undefined,
    accept: (connection: StreamConnection, slot?: HandshakeSlot) => void,
    options?: ListenOptions,
  ): void {
    if (inner.frames !== undefined) {
      given?.leave(needsBytes(inner.endpoint));
      return inner.destroy();
    }
    const { clock } = this.#init;
    const { handshakes, timeout = HANDSHAKE_TIMEOUT } = options ?? {};
    let opening: Opening | undefined;
    let isTurn = given !== undefined || handshakes === undefined;
    const enter = () => {
      isTurn = true;
      if (opening === undefined) return;
      inner.resume();
      opening.begin();
    };
    const slot = given ?? handshakes?.acquire(inner.endpoint, enter);
    if (slot === undefined && handshakes !== undefined) return inner.destroy();
    const onClose = () => {
      this.#pending.delete(onClose);
      opening?.drop();
      slot?.leave();
    };
    this.#pending.add(onClose);
    opening = new Opening(this.#init, inner, {
      greeting: this.#greet('responder'),
      dialed: undefined,
      timeout: slot === undefined ? timeout : timeout - (clock.now() - slot.since),
      late: () =>
        reasonError(
          'handshake_timeout',
          `the noise handshake was not complete after ${inMs(timeout)} (handshakeTimeout)`,
        ),
      answered: (end) => slot?.answered?.(end),
      done: (connection) => {
        this.#pending.delete(onClose);
        // From now on the limiter ends the secured connection, not the opening.
        slot?.answered?.((error) => connection.destroy(error));
        accept(connection, slot);
      },
      failed: (error) => {
        this.#pending.delete(onClose);
        slot?.leave(error);
      },
    });
    if (isTurn) opening.begin();
    else inner.pause();
  }

  checkAddress(address: string): void {
    this.#inner.checkAddress?.(address);
  }

  localAddr(): string {
    return this.#inner.localAddr();
  }

  localAddrs(): string[] {
    return this.#inner.localAddrs?.() ?? [this.#inner.localAddr()];
  }

  get nodeId(): string {
    return this.#init.peers.self;
  }

  get certificate(): StreamLayer['certificate'] {
    return this.#inner.certificate;
  }

  get machine(): StreamLayer['machine'] {
    return this.#inner.machine;
  }

  advertiseAddr(): string {
    return this.#inner.advertiseAddr();
  }

  updatePeers(lists: PeerListsUpdate): void {
    this.#init.peers.update(lists);
  }

  async close(): Promise<void> {
    this.#epoch++;
    for (const end of [...this.#pending]) end();
    await this.#inner.close();
  }

  #greet(role: HandshakeRole): Greeting {
    const { suite, identity } = this.#init;
    return new Greeting({
      suite,
      identity,
      staticKey: this.#staticKey,
      ephemeralKey: () => this.#drawKey(),
      role,
    });
  }

  #drawKey(): KeyPair {
    const { suite, random } = this.#init;
    return suite.keyPair(randomBytes(() => checkDraw(random()), KEY));
  }
}

/** Throws a TypeError for a number outside [0, 1). A broken source would produce a key of zeros. */
function checkDraw(value: number): number {
  if (value >= 0 && value < 1) return value;
  throw new TypeError('random: must return numbers from 0 (included) to 1 (excluded)');
}

function cannotConnect(
  address: string,
  { code, message, reason, cause }: TransportError,
): TransportError {
  return new TransportError(code, `Cannot connect to ${address}: ${message}`, {
    reason,
    target: address,
    cause,
  });
}

function needsBytes(address: string): TransportError {
  const message = `Cannot secure the connection with ${address}: noise needs a layer that carries bytes, but this one carries frames; use inmem(), or level: 'stream' in a simulation`;
  return new TransportError('failed_precondition', message, { target: address });
}

const CLOSED = new TransportError('shutdown', 'The dial was cancelled: the layer was closed');
/**
 * The handshake timeout, in milliseconds, if `listen` is called without options: the default of the
 * option `handshakeTimeout` (common-options.ts).
 */
const HANDSHAKE_TIMEOUT = 5_000;
