// The opening of a session: both preambles and both HELLOs (docs/wire-protocol.md §2, §3).
//
// Owns the position in the peer's preamble, and the time by which the hello must be complete. The
// session tells it what arrived and what time it is. It writes our preamble and our HELLO into the
// batch, and judges those of the peer. It ends the session if the peer's preamble is wrong, if the
// peer is refused (`SessionOptions.refused`), if the time is up, or if no peer would accept our
// HELLO. If the peer's HELLO is not acceptable, the session ends itself, with the error from
// `judge`. Tested in handshake.test.ts and session.test.ts, and in testing/session by
// preamble-cases.ts and hello-cases.ts.

import { reasonError, type TransportError, withDetails } from '../errors.ts';
import type { Protocol } from '../protocol/protocol.ts';
import { cleanText, inMs } from '../text.ts';
import { type Frame, PREAMBLE } from '../wire/frame.ts';
import {
  decodeHello,
  encodeHello,
  type Hello,
  helloProtocol,
  type Introduction,
} from '../wire/hello.ts';
import * as Kind from '../wire/kind.ts';
import { isNoise, wrongPreamble } from '../wire/preamble.ts';
import type { Batch } from './batch.ts';
import { protocolError } from './session-context.ts';
import type { SessionOptions } from './session-parts.ts';

/**
 * Ends the session with its method of that name. 'break' sends the peer the reason, 'cut' destroys
 * the connection immediately, and 'endQuietly' closes it after what was written.
 */
type End = (how: 'break' | 'cut' | 'endQuietly', error: TransportError) => void;

/** The hello of one connection. */
export class HelloExchange {
  /** True once the peer's preamble was read completely, or if the connection carries frames. */
  matched: boolean;
  /** The time by which the hello must be complete. */
  due: number;
  /**
   * True if our protocols or address changed and no HELLO was written since, so the peer still has
   * to learn them.
   */
  isStale = false;
  readonly #end: End;
  readonly #batch: Batch;
  readonly #options: SessionOptions;
  readonly #seen: number[] = [];
  #spoke = false;

  constructor(batch: Batch, options: SessionOptions, end: End) {
    this.#end = end;
    this.#batch = batch;
    this.#options = options;
    this.matched = options.preamble === undefined;
    this.due = options.ticker.now() + options.handshakeTimeout;
  }

  /** Extends the time limit by `lateness` milliseconds; see `Session.excuse`. */
  excuse(lateness: number): void {
    this.due += lateness;
  }

  /**
   * Makes the session announce the changes once it is up, because our HELLO may have been sent
   * already.
   */
  announce(): void {
    this.isStale = true;
  }

  /** Sends our preamble, once. */
  #speak(): void {
    if (!this.#spoke) this.#options.preamble?.();
    this.#spoke = true;
  }

  /**
   * Writes our HELLO, after our preamble; the caller flushes the batch. Ends the session if no peer
   * would accept the HELLO.
   */
  hello(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    this.#speak();
    this.isStale = false;
    try {
      this.#batch.greet(Kind.HELLO, encodeHello(makeHello(this.#options, fields, features)));
    } catch (error) {
      this.#end('break', withDetails(error as TransportError, { unreachable: false }));
    }
  }

  /**
   * Sends the last GO_AWAY. A dialing peer whose preamble was not read yet may speak any other
   * protocol, so it gets nothing.
   */
  lastWord(error: TransportError): void {
    if (this.#options.side === 'acceptor' && !this.matched) return;
    this.#speak();
    this.#batch.lastWord(error);
  }

  /**
   * Reads the peer's preamble; an acceptor sends its own in reply. Returns the rest of the chunk,
   * or undefined if nothing of it is left to read or the session has ended.
   */
  receive(chunk: Uint8Array): Uint8Array | undefined {
    if (this.matched) return chunk;
    const missing = PREAMBLE.length - this.#seen.length;
    this.#seen.push(...chunk.subarray(0, missing));
    if (this.#seen.some((byte, at) => byte !== PREAMBLE[at])) {
      const bytes = Uint8Array.of(...this.#seen, ...chunk.subarray(missing, missing + 16));
      // A Trunkline peer with noise learns from our preamble that this end is plain; to any other
      // peer, an acceptor sends no byte. (A dialer has already sent its preamble and HELLO.)
      if (isNoise(bytes)) this.#speak();
      this.#batch.flush();
      return void this.#end('endQuietly', reasonError('wrong_preamble', wrongPreamble(bytes)));
    }
    this.matched = this.#seen.length === PREAMBLE.length;
    const { port, refused, side } = this.#options;
    if (this.matched && side === 'acceptor') {
      if (refused !== undefined) return void this.#end('break', refused);
      this.#speak();
      port.dirty();
    }
    return chunk.length > missing ? chunk.subarray(missing) : undefined;
  }

  /** Reads the peer's HELLO. Returns the error instead if this end can't talk to the peer. */
  judge(frame: Frame): Hello | TransportError {
    const { self, proven, side } = this.#options;
    const hello = decodeHello(frame.hello);
    if (typeof hello === 'string') return protocolError(`its HELLO has ${hello}`);
    return judgeHello(hello, self, proven, side) ?? hello;
  }

  /**
   * Ends a hello that has taken too long. The reason is sent only if the peer's preamble has
   * arrived; otherwise, the peer is not known to speak Trunkline.
   */
  wake(now: number): void {
    if (now < this.due) return;
    const text = `the hello was not complete after ${inMs(this.#options.handshakeTimeout)}`;
    this.#end(this.matched ? 'break' : 'cut', reasonError('handshake_timeout', text));
  }
}

/**
 * The error text for a connection that ended before the hello was complete. The other end may have
 * refused our preamble, and such a refusal leaves no other trace.
 */
export const EARLY_END =
  'the other end closed the connection during the hello: check that both have the same security (TLS, noise or none)';

// The decisions of the hello: the values that this end announces, and the checks that it makes
// (docs/wire-protocol.md §3). All functions are pure.

/** The version of the wire protocol that this code speaks. */
export const WIRE_VERSION = 1;
/** The name of this software in our HELLO, for the logs of the other end. */
const AGENT = 'trunkline-js/0';

/** The state of this end that its HELLO announces. */
type Announced = Pick<SessionOptions, 'self' | 'limits' | 'observed' | 'proven'> & {
  readonly mounts: ReadonlyMap<number, { readonly protocol: Protocol }>;
};

/** Builds our HELLO. */
export function makeHello(
  { self, limits, mounts, observed, proven }: Announced,
  fields: Readonly<Record<string, string>>,
  features: readonly string[] = [],
): Hello {
  const { message, item, packet, calls, streams } = limits;
  // The limits of window growth are local and are not announced.
  const { pipe, inbox, stream } = limits.credit;
  return {
    wireMin: WIRE_VERSION,
    wireMax: WIRE_VERSION,
    instance: self.instance,
    network: self.network,
    addr: self.addr,
    agent: AGENT,
    nodeId: self.nodeIdFor(proven),
    protocols: [...mounts.values()].map(({ protocol }) => helloProtocol(protocol)),
    limits: { message, item, packet, pipe, inbox, stream, calls, streams },
    features: [...features],
    observed,
    fields: { ...fields },
  };
}

/** Returns the reason why this end can't talk to the sender of a HELLO; undefined if it can. */
export function judgeHello(
  hello: Hello,
  self: Introduction,
  proven: string | undefined,
  side: 'dialer' | 'acceptor',
): TransportError | undefined {
  // Both ends read this text, so it says 'dialer' and 'acceptor' instead of 'we' and 'you'.
  const [peer, own] = side === 'dialer' ? ['acceptor', 'dialer'] : ['dialer', 'acceptor'];
  if (hello.wireMin > WIRE_VERSION || hello.wireMax < WIRE_VERSION) {
    const text = `the ${peer} speaks wire versions ${hello.wireMin} to ${hello.wireMax}, the ${own} speaks ${WIRE_VERSION}`;
    return reasonError('wrong_version', text);
  }
  if (side === 'dialer' && hello.wireMin !== hello.wireMax) {
    const text = `the ${peer} answered with wire versions ${hello.wireMin} to ${hello.wireMax}; it must name exactly one`;
    return reasonError('malformed', text);
  }
  if (hello.network !== self.network) {
    const text = `the ${peer} is in network '${cleanText(hello.network)}', the ${own} in '${self.network}': give both the same 'network' option`;
    return reasonError('wrong_network', text);
  }
  if (hello.nodeId !== '' && proven !== undefined && hello.nodeId !== proven) {
    const text = `the ${peer} claims to be node ${hello.nodeId}, but proved to be ${proven}`;
    return reasonError('identity_mismatch', text);
  }
  return undefined;
}
