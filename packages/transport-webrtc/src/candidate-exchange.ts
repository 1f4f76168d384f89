// The candidates of one connection, in both directions: decides when they are sent and used, and
// bounds their number.

import type { Clock, ClockTimer } from '@trunkline/transport-core';
import type { RtcPeerConnection } from './rtc.ts';
import { candidatesOf } from './session-description.ts';
import type { SignalCandidate, SignalSession } from './signal.ts';
import { normalizedCandidate } from './signal-message.ts';

/**
 * Holds candidates back until the other end is ready for them. Otherwise, an answerer that already
 * knows a path would start DTLS immediately. Its first message would either be lost because the
 * offerer isn't ready, and be repeated only after a second, or arrive before the offerer can check
 * the certificate.
 */
export class CandidateExchange {
  readonly #session: SignalSession;
  readonly #trickle: boolean;
  readonly #clock: Clock;
  /** Candidates of this end that were sent or wait in `#unsent`. */
  readonly #sent = new Set<string>();
  readonly #unsent: SignalCandidate[] = [];
  #maySend = false;
  /** Candidates of the other end that arrived before its description was set. */
  readonly #early: SignalCandidate[] = [];
  #received = 0;
  /** Set as soon as candidates of the other end can be used. */
  #peer: RtcPeerConnection | undefined;
  /** Set while the candidates of a whole offer wait. */
  #held: RtcPeerConnection | undefined;
  #hold: ClockTimer | undefined;
  #isClosed = false;

  /** @param trickle false if offer and answer have to contain all candidates. */
  constructor(session: SignalSession, trickle: boolean, clock: Clock) {
    this.#session = session;
    this.#trickle = trickle;
    this.#clock = clock;
  }

  /** Takes a candidate that the library found, or that is in this end's description. */
  found(candidate: Parameters<typeof normalizedCandidate>[0]): void {
    if (this.#isClosed || !this.#trickle || this.#sent.size >= MOST) return;
    const message = normalizedCandidate(candidate);
    if (message.candidate === '' || this.#sent.has(message.candidate)) return;
    this.#sent.add(message.candidate);
    if (this.#maySend) this.#session.send(message);
    else this.#unsent.push(message);
  }

  /** Begins to send: the answerer after its answer, the offerer once it has set the answer. */
  send(): void {
    if (this.#isClosed) return;
    this.#maySend = true;
    for (const candidate of this.#unsent.splice(0)) this.#session.send(candidate);
    const held = this.#held;
    if (held !== undefined) this.#hold = this.#clock.setTimeout(() => this.#begin(held), HOLD_TIME);
  }

  /** Takes a candidate from the other end. */
  receive(candidate: SignalCandidate): void {
    if (this.#isClosed || candidate.candidate === '' || ++this.#received > MOST) return;
    if (this.#peer === undefined) this.#early.push(candidate);
    else use(this.#peer, candidate);
  }

  /**
   * Begins to use the other end's candidates, including those in its description, which has been
   * set. If the offer had to contain all candidates, it arrives before the offerer is ready, so the
   * candidates wait until shortly after the answer.
   */
  use(peer: RtcPeerConnection, type: 'offer' | 'answer', sdp: string): void {
    if (this.#isClosed) return;
    for (const candidate of candidatesOf(sdp)) this.receive(normalizedCandidate(candidate));
    if (type === 'answer' || this.#trickle) this.#begin(peer);
    else this.#held = peer;
  }

  #begin(peer: RtcPeerConnection): void {
    this.#peer = peer;
    for (const candidate of this.#early.splice(0)) use(peer, candidate);
  }

  /** Ends the exchange; the connection needs no more candidates. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#hold);
    this.#peer = this.#held = undefined;
  }
}

/**
 * Passes a candidate to the library. A candidate that the library can't use means one path fewer,
 * not a failure.
 */
function use(peer: RtcPeerConnection, { candidate, sdpMid, sdpMLineIndex }: SignalCandidate): void {
  peer.addIceCandidate({ candidate, sdpMid, sdpMLineIndex }).catch(() => {});
}

/** Maximum number of candidates in one direction; the others are dropped. */
const MOST = 64;
/**
 * The time for which an answerer waits after its answer before it uses the candidates of a whole
 * offer, in milliseconds.
 */
const HOLD_TIME = 250;
