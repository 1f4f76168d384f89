// The client of a hub as a `Signal` of transport-webrtc: it registers again automatically when the
// connection to the hub is lost.

import type { Identity } from '@trunkline/security';
import { createNoiseStreamLayer, type NoiseStreamLayer } from '@trunkline/security/noise';
import {
  type Backend,
  type Clock,
  createTransport,
  type Observer,
  type Random,
  type Rpc,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { reasonError, refuseUnknown } from '@trunkline/transport-core/backend';
import type { Signal, SignalOpenOptions, SignalSession } from '../signal.ts';
import { nobodyThere, withDeadline } from './deadline.ts';
import { HubLink, nextItem } from './hub-link.ts';
import { HubSession } from './hub-session.ts';
import { MessageQueue } from './message-queue.ts';
import { DEFAULT_REALM, type SignalingProtocol, signalingProtocol } from './protocol.ts';
import { RelayLayer } from './relay-layer.ts';

/** Options of `createHubSignal`; `address`, `backends` and `identity` are required. */
export interface HubSignalOptions {
  /**
   * The address of the hub: 'wss://hub.example/signal', or '<nodeId>@address' for a hub that proves
   * its id.
   */
  readonly address: string;
  /** The backends that can dial the hub: `[ws()]`. */
  readonly backends: readonly Backend[];
  /** The node's key, whose id it proves to the hub. */
  readonly identity: Identity;
  /** The node's realm; nodes reach only nodes in the same realm. Default 'main'. */
  readonly realm?: string | undefined;
  /**
   * Uses the hub's relay for nodes that can't be reached directly, if the hub has one. Relayed
   * streams are encrypted from node to node by stream-noise with `identity`. Default false.
   */
  readonly relay?: boolean | undefined;
  /**
   * The clock of the connection to the hub, of its relay and of timeouts. Default: the system's.
   */
  readonly clock?: Clock | undefined;
  /** Returns numbers in [0, 1). Default: the system's cryptographic source. */
  readonly random?: Random | undefined;
  /** Receives the events of the connection to the hub. Default: none. */
  readonly observer?: Observer | undefined;
}

/** A node's access to a hub. */
export interface HubSignal extends Signal, AsyncDisposable {
  /** Streams that the hub relays; their addresses are node ids. Set with the option `relay`. */
  readonly relay?: NoiseStreamLayer | undefined;
  /** Counts the users of this signal; without one, it leaves the hub. See {@link Signal.ref}. */
  ref(on: boolean): void;
  /** Ends the registration and all sessions, and closes the connection to the hub. Idempotent. */
  close(): Promise<void>;
}

/**
 * Creates a node's access to a hub. It connects when it is first used. Throws a TypeError for an
 * unknown option, and for one that `createTransport` refuses; the hub checks the address and realm.
 */
export function createHubSignal(options: HubSignalOptions): HubSignal {
  return new Hub(options);
}

const OPTIONS = [
  'address',
  'backends',
  'identity',
  'realm',
  'relay',
  'clock',
  'random',
  'observer',
] as const;

/**
 * The pause before the node's first attempt to register again, in milliseconds; it doubles up to
 * the longest pause.
 */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;
/** The time limit for a session, in milliseconds, the same as in hub.ts. */
const SESSION_TIME = 60_000;
/** Codes after which a lost registration is given up and `failed` is called. */
const FINAL: readonly string[] = [
  'already_exists',
  'invalid_argument',
  'permission_denied',
  'shutdown',
  'unauthenticated',
  'unimplemented',
];
const EMPTY = new Uint8Array(0);

interface Listener {
  accept(session: SignalSession): void;
  readonly failed: ((error: TransportError) => void) | undefined;
}

class Hub implements HubSignal {
  readonly nodeId: string;
  readonly relay: NoiseStreamLayer | undefined;
  readonly #transport: Transport<SignalingProtocol>;
  readonly #link: HubLink;
  #listener: Listener | undefined;
  /** Set while the registration is lost; ends the attempts to register again when it aborts. */
  #restoring: AbortController | undefined;
  #users = 0;

  constructor(options: HubSignalOptions) {
    refuseUnknown(options, 'createHubSignal', OPTIONS);
    const {
      address: hub,
      identity,
      realm = DEFAULT_REALM,
      backends,
      clock,
      random,
      observer,
    } = options;
    this.nodeId = identity.nodeId;
    this.#transport = createTransport({
      protocol: signalingProtocol,
      backends,
      clock,
      random,
      observer,
    });
    this.#link = new HubLink(this.#transport, { hub, realm, identity }, (error) =>
      this.#lost(error),
    );
    const relay = new RelayLayer(this.nodeId, this.#transport, this.#link);
    if (options.relay === true) this.relay = createNoiseStreamLayer(relay, { identity, clock });
    serve(this.#transport, {
      session: (_request, rpc) => this.#serveSession(rpc),
      relayed: (_request, rpc) => relay.serve(rpc),
    });
  }

  async listen(
    accept: (session: SignalSession) => void,
    failed?: (error: TransportError) => void,
  ): Promise<void> {
    const listener: Listener = { accept, failed };
    this.#listener = listener;
    try {
      await this.#announce();
    } catch (error) {
      if (this.#listener === listener) this.#listener = undefined;
      throw nameTaken(error as TransportError, this.nodeId);
    }
  }

  async unlisten(): Promise<void> {
    if (this.#listener === undefined) return;
    this.#listener = undefined;
    this.#restoring?.abort();
    this.#restoring = undefined;
    if (!this.#link.isUp) return;
    try {
      await this.#transport.send(await this.#link.reach(), 'accepting', false);
    } catch {
      // The connection is lost, and so is the registration.
    }
  }

  async open(target: string, { timeout, signal }: SignalOpenOptions): Promise<SignalSession> {
    try {
      return await withDeadline(
        { clock: this.#transport.clock, timeout, signal, target },
        async (ending) => {
          const remote = await this.#link.reach();
          ending.throwIfAborted();
          const upload = new MessageQueue();
          const items = await this.#transport.send(
            remote,
            'open',
            { to: target },
            { upload, signal: ending, timeout: SESSION_TIME },
          );
          const call = items[Symbol.asyncIterator]();
          await nextItem(call);
          return new HubSession(target, call, upload);
        },
      );
    } catch (error) {
      throw nobodyThere(error as TransportError, target);
    }
  }

  ref(on: boolean): void {
    this.#users += on ? 1 : -1;
    if (this.#users === 0 && this.#listener === undefined) this.#link.leave();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#restoring?.abort();
    await this.relay?.close();
    await this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Serves a session that another node opens. */
  async *#serveSession(rpc: Rpc<SignalingProtocol, 'session'>): AsyncGenerator<Uint8Array> {
    const listener = this.#listener;
    if (listener === undefined)
      throw new TransportError('not_found', `node '${this.nodeId}' accepts no sessions`);
    yield EMPTY;
    const outgoing = new MessageQueue();
    const { from, source } = rpc.request;
    listener.accept(new HubSession(from, rpc.upload[Symbol.asyncIterator](), outgoing, source));
    yield* outgoing;
  }

  /** Registers the node as one that accepts sessions. */
  async #announce(): Promise<void> {
    await this.#transport.send(await this.#link.reach(), 'accepting', true);
  }

  #lost(error: TransportError): void {
    if (this.#listener === undefined) return;
    if (FINAL.includes(error.code)) this.#fail(error);
    else if (this.#restoring === undefined) void this.#restore();
  }

  /** Retries the registration until it succeeds or nothing is listening anymore. */
  async #restore(): Promise<void> {
    const restoring = new AbortController();
    const { signal } = restoring;
    this.#restoring = restoring;
    const { clock, random } = this.#transport;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      await clock.sleep(pause * (0.5 + random() / 2), signal).catch(() => {});
      if (this.#listener === undefined || signal.aborted) break;
      try {
        await this.#announce();
        if (this.#link.isUp) break;
      } catch (error) {
        if (FINAL.includes((error as TransportError).code)) {
          this.#fail(error as TransportError);
          break;
        }
      }
    }
    if (this.#restoring === restoring) this.#restoring = undefined;
  }

  #fail(error: TransportError): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.failed?.(nameTaken(error, this.nodeId));
  }
}

/** Converts an error to `address_in_use` if another connection holds the id. */
function nameTaken(error: TransportError, nodeId: string): TransportError {
  if (error.code !== 'already_exists') return error;
  return reasonError(
    'address_in_use',
    `Cannot register ${nodeId}: the node has registered over a newer connection, perhaps in another process`,
    { cause: error, target: nodeId },
  );
}
