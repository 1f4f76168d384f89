// The signaling hub: registers nodes that prove their ids, and forwards the sessions between them.
// It stores none of their messages. A session is a call to the hub, joined to a call from the hub
// to the other node.

import {
  type Handlers,
  type Remote,
  type Rpc,
  type Server,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { sourceOf } from '@trunkline/transport-core/internal';
import {
  parseHubOptions,
  type RegisteringNode,
  type SignalHubConfig,
  type SignalHubOptions,
} from './hub-options.ts';
import { Places } from './places.ts';
import { CHALLENGE_LENGTH, checkProof, claimedId, plainAddress } from './proof.ts';
import { type SignalingProtocol, signalingProtocol } from './protocol.ts';
import { type Registration, Registry } from './registry.ts';
import { Sources } from './sources.ts';
import { TokenBucket } from './token-bucket.ts';

/** A running hub. */
export interface SignalHub extends AsyncDisposable {
  /** Returns the state of the hub as plain data. */
  snapshot(): SignalHubSnapshot;
  /**
   * Ends all registrations and sessions, and stops serving. The transport stays open. Idempotent.
   */
  close(): Promise<void>;
}

/** The state of a hub. */
export interface SignalHubSnapshot {
  readonly realms: readonly { readonly name: string; readonly nodes: number }[];
  /** The number of sessions that are open now. */
  readonly sessions: number;
  /** The number of streams that are relayed now. */
  readonly relays: number;
}

/** The time limit for a node's proof, in milliseconds. */
const PROOF_TIME = 10_000;
/** The time limit for a session, in milliseconds; a connection takes far less time to open. */
const SESSION_TIME = 60_000;
/** Maximum number of messages in one direction of a session: a description and its candidates. */
const MOST_MESSAGES = 256;
/** A session is idle until its offer is answered: only the called node can tell a valid one. */
const SESSIONS = {
  noun: 'sessions',
  most: Number.POSITIVE_INFINITY,
  idle: 1_000,
  old: Number.POSITIVE_INFINITY,
};
/** A connection over a relayed stream has pings, by default every 10 s, so it is never idle. */
const RELAYS = { noun: 'relayed streams', idle: 60_000, old: 600_000 };
const EMPTY = new Uint8Array(0);

/**
 * Starts a hub on a transport. Nodes reach it with `createHubSignal`, at any address of the
 * transport. Throws a TypeError if an option is invalid, or if the transport has a hub already.
 */
export function createSignalHub(options: SignalHubOptions): SignalHub {
  return new Hub(parseHubOptions(options));
}

class Hub implements SignalHub {
  readonly #config: SignalHubConfig;
  readonly #transport: Transport<SignalingProtocol>;
  readonly #addresses: ReadonlySet<string> | undefined;
  readonly #isMounted: boolean;
  readonly #sources: Sources;
  readonly #registry: Registry;
  readonly #sessions: Places;
  readonly #relays: Places;
  readonly #server: Server;
  readonly #closing = new AbortController();

  constructor(config: SignalHubConfig) {
    this.#config = config;
    const { transport, addresses } = config;
    this.#addresses = addresses && new Set(addresses.map(plainAddress));
    this.#isMounted = transport.protocol !== signalingProtocol;
    this.#transport = this.#isMounted
      ? transport.mount(signalingProtocol)
      : (transport as unknown as Transport<SignalingProtocol>);
    this.#sources = new Sources(config.limits, () => transport.clock.now(), config.random);
    this.#registry = new Registry(config.limits, this.#sources);
    const now = () => transport.clock.now();
    const { streams = 0, streamsPerNode = 0 } = config.relay ?? {};
    this.#sessions = new Places({ ...SESSIONS, perNode: config.limits.sessionsPerNode }, now);
    this.#relays = new Places({ ...RELAYS, most: streams, perNode: streamsPerNode }, now);
    const handlers: Handlers<SignalingProtocol> = {
      register: (_request, rpc) => this.#register(rpc),
      accepting: (isAccepting, rpc) => {
        this.#registry.of(rpc.from).isAccepting = isAccepting;
        return EMPTY;
      },
      open: (_request, rpc) => this.#open(rpc),
      relay: (_request, rpc) => this.#relay(rpc),
    };
    this.#server = serve(this.#transport, handlers, { toError: forwarded });
  }

  snapshot(): SignalHubSnapshot {
    return {
      realms: this.#registry.realms(),
      sessions: this.#sessions.size,
      relays: this.#relays.size,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort(new TransportError('unavailable', 'the signaling hub is closed'));
    await this.#server.stop({ grace: 0 });
    if (this.#isMounted) await this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Serves `register`: the registration lasts as long as the call. */
  async *#register(rpc: Rpc<SignalingProtocol, 'register'>): AsyncGenerator<Uint8Array> {
    const { hub, realm, publicKey } = rpc.request;
    const source = sourceOf(rpc.from.endpoint);
    this.#sources.spend(source);
    if (this.#config.realms?.includes(realm) === false)
      throw new TransportError('permission_denied', `register: this hub has no realm '${realm}'`);
    const { nodeId, key } = claimedId(publicKey);
    if (rpc.from.nodeId !== nodeId) {
      if (this.#addresses?.has(plainAddress(hub)) === false)
        throw new TransportError(
          'unauthenticated',
          `register: this hub doesn't have the address ${hub}, for which the proof would be`,
        );
      const challenge = randomBytes(this.#config.random, CHALLENGE_LENGTH);
      yield challenge;
      checkProof(key, { hub, realm }, challenge, await this.#proof(rpc));
    }
    await this.#admit({ realm, nodeId, remote: rpc.from });
    yield* this.#registered({ realm, nodeId, source }, rpc);
  }

  /**
   * Keeps a node registered until its call or the hub ends, or a newer registration replaces it.
   */
  async *#registered(
    node: Pick<Registration, 'realm' | 'nodeId' | 'source'>,
    rpc: Rpc<SignalingProtocol, 'register'>,
  ): AsyncGenerator<Uint8Array> {
    const end = new AbortController();
    const registration: Registration = {
      ...node,
      remote: rpc.from,
      isAccepting: false,
      end: (error) => end.abort(error),
    };
    this.#registry.add(registration);
    try {
      yield EMPTY;
      await aborted(AbortSignal.any([end.signal, rpc.signal, this.#closing.signal]));
    } finally {
      this.#registry.remove(registration);
    }
  }

  /**
   * Returns the first item that the node uploads, its signature; ends the call after PROOF_TIME.
   */
  async #proof(rpc: Rpc<SignalingProtocol, 'register'>): Promise<Uint8Array | undefined> {
    const late = this.#transport.clock.setTimeout(
      () => rpc.fail(new TransportError('unauthenticated', 'register: no proof came within 10 s')),
      PROOF_TIME,
    );
    try {
      const { value } = await rpc.upload[Symbol.asyncIterator]().next();
      return value;
    } finally {
      this.#transport.clock.clearTimeout(late);
    }
  }

  async #admit(node: RegisteringNode): Promise<void> {
    try {
      await this.#config.admit?.(node);
    } catch (error) {
      if (error instanceof TransportError) throw error;
      throw new TransportError('permission_denied', 'register: this hub refuses the node', {
        cause: error,
      });
    }
  }

  /** Serves `open`: joins a call from one node to a call to another. */
  async *#open(rpc: Rpc<SignalingProtocol, 'open'>): AsyncGenerator<Uint8Array> {
    const [caller, callee] = this.#pair(rpc.from, rpc.request.to);
    const place = this.#sessions.take(caller, callee, (error) => rpc.fail(error));
    const late = this.#transport.clock.setTimeout(
      () => rpc.fail(new TransportError('deadline_exceeded', 'a session lasts at most 60 s')),
      SESSION_TIME,
    );
    try {
      const items = await this.#transport.send(
        callee.remote,
        'session',
        { from: caller.nodeId, source: this.#sources.tagOf(caller.source) },
        {
          upload: fewMessages(rpc.upload),
          signal: this.#ending(rpc.signal),
          timeout: SESSION_TIME,
        },
      );
      // The first item, which accepts the session, is empty, and the second one is the answer.
      yield* seen(fewMessages(items), ({ length }) => {
        if (length > 0) place.settle();
      });
    } finally {
      this.#transport.clock.clearTimeout(late);
      place.free();
    }
  }

  /** Serves `relay` as `#open` serves `open`, within the limits of relayed streams. */
  async *#relay(rpc: Rpc<SignalingProtocol, 'relay'>): AsyncGenerator<Uint8Array> {
    const limits = this.#config.relay;
    if (limits === undefined)
      throw new TransportError('unimplemented', "relay: this hub doesn't relay streams");
    const [caller, callee] = this.#pair(rpc.from, rpc.request.to);
    const place = this.#relays.take(caller, callee, (error) => rpc.fail(error));
    // One signal for each stream, because each slowed stream adds a listener to it while it sleeps.
    const signal = this.#ending(rpc.signal);
    const metered = (pieces: AsyncIterable<Uint8Array>) =>
      seen(this.#metered(pieces, limits.rate, signal), place.move);
    try {
      yield* metered(
        await this.#transport.send(
          callee.remote,
          'relayed',
          { from: caller.nodeId },
          { upload: metered(rpc.upload), signal },
        ),
      );
    } finally {
      place.free();
    }
  }

  /** Returns the registrations of a caller and of the node that it wants to reach. */
  #pair(from: Remote, to: string): readonly [Registration, Registration] {
    const caller = this.#registry.of(from);
    this.#sources.spend(caller.source);
    return [caller, this.#registry.accepting(caller.realm, to)];
  }

  /** Returns a signal that aborts with the call, or when the hub closes. */
  #ending(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  /** Forwards at most `rate` bytes per second, with bursts of up to one second's worth. */
  async *#metered(
    pieces: AsyncIterable<Uint8Array>,
    rate: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { clock } = this.#transport;
    const bucket = new TokenBucket(rate, rate, clock.now());
    for await (const piece of pieces) {
      const wait = bucket.take(piece.length, clock.now());
      if (wait > 0) await clock.sleep(wait, signal);
      yield piece;
    }
  }
}

/**
 * Forwards the error of a call to the other node. A text of the hub's own would show the address of
 * that node, so it is replaced.
 */
function forwarded(error: unknown): TransportError {
  if (!(error instanceof TransportError) || error.target === undefined)
    return error as TransportError;
  const { code, reason, metadata, origin, message } = error;
  const text = origin === 'remote' ? message : 'the hub has lost the other node';
  return new TransportError(code, text, { reason, metadata });
}

/** Forwards messages, up to the number that a session may have. */
async function* fewMessages(messages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const message of messages) {
    if (++count > MOST_MESSAGES)
      throw new TransportError(
        'resource_exhausted',
        `a session carries at most ${MOST_MESSAGES} messages in each direction`,
      );
    yield message;
  }
}

/** Forwards items, and passes each of them to `see` before. */
async function* seen(
  items: AsyncIterable<Uint8Array>,
  see: (item: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const item of items) {
    see(item);
    yield item;
  }
}

/** Rejects with the signal's reason when it aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
