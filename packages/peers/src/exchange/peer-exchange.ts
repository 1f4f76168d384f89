// Peer exchange: decides which peers to ask for addresses and when, which requests to answer, and
// which answers to accept. It follows Tendermint's PEX reactor (p2p/pex/pex_reactor.go); on the
// wire it consists of two one-way messages, a request and a list of addresses. It is told which
// peers are connected and what they send, and sends nothing itself. Tested in
// peer-exchange.test.ts.

import type { Random } from '@trunkline/transport-core';
import { PeerLimits } from '../limits.ts';

interface PeerExchangeOptions {
  readonly random: Random;
  /**
   * Milliseconds between two rounds of requests. A peer may ask three times as often. Use the same
   * value in the whole network: a node whose interval is less than a third of the others' is
   * treated as an abuser.
   */
  readonly interval: number;
  /**
   * Seed mode: a peer that dialed this node is answered once and disconnected, and no peer stays
   * for long.
   */
  readonly seed: boolean;
}

/**
 * The reaction to a request. `part` means to disconnect the peer, after all queued messages: a seed
 * answers once, and keeps no peers. After too many requests, disconnect it at once (Tendermint also
 * bans it).
 */
export type RequestVerdict =
  | 'answer'
  | 'answer_and_part'
  | 'part'
  | 'too_many_requests'
  | 'ignored';

/** Peer exchange of one node. Memory is bounded by the number of connected peers. */
export class PeerExchange {
  readonly #random: Random;
  readonly #interval: number;
  readonly #seed: boolean;
  readonly #peers = new Map<string, ExchangePeer>();
  /** The requests of each peer in all its sessions. */
  readonly #requests: PeerLimits<Requests>;
  /** Time of the next round. The first one is due at once, so that an empty book fills quickly. */
  #round = Number.NEGATIVE_INFINITY;

  constructor({ random, interval, seed }: PeerExchangeOptions) {
    this.#random = random;
    this.#interval = interval;
    this.#seed = seed;
    this.#requests = new PeerLimits(
      () => ({ answers: 0, answered: Number.NEGATIVE_INFINITY }),
      interval,
    );
  }

  /** Time at which a peer may be asked next; `Infinity` while no peer is connected. */
  get wakeAt(): number {
    let fresh = Number.POSITIVE_INFINITY;
    let ready = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) {
      ready = Math.min(ready, peer.ready);
      if (peer.fresh) fresh = Math.min(fresh, peer.ready);
    }
    return Math.min(fresh, Math.max(ready, this.#round));
  }

  /**
   * Records that a session with a peer began, or its direction or persistence changed. The driver
   * reports a change of the direction only together with one of the limits that apply to the peer.
   */
  connected(
    nodeId: string,
    known: Pick<ExchangePeer, 'direction' | 'persistent'>,
    now: number,
  ): void {
    const peer = this.#peers.get(nodeId) ?? new ExchangePeer(known.direction, now);
    this.#peers.set(nodeId, Object.assign(peer, known));
  }

  /** Records that a session ended. `proven` is true if the peer had proven its id. */
  gone(nodeId: string, proven: boolean, now: number): void {
    this.#requests.gone(nodeId, proven, now);
    this.#peers.delete(nodeId);
  }

  /**
   * Returns the peers to ask for addresses now, if more are `wanted`. An outbound peer is asked as
   * soon as it is connected. Otherwise, one random peer is asked per round (the interval ± 20 %):
   * usually an outbound one, but in one round out of four an inbound one, because inbound peers may
   * know nodes that the others don't. Outbound peers are preferred because inbound peers chose this
   * node.
   */
  ask(wanted: boolean, now: number): string[] {
    const asked: string[] = [];
    if (!wanted) this.#putOff(now);
    else
      for (let next = this.#next(now); next !== undefined; next = this.#next(now)) asked.push(next);
    return asked;
  }

  /** In seed mode, returns the peers that have stayed too long, until they are gone. */
  overstayed(now: number): string[] {
    if (!this.#seed) return [];
    return [...this.#peers]
      .filter(([, peer]) => !peer.persistent && now - peer.since >= LONGEST_STAY)
      .map(([nodeId]) => nodeId);
  }

  #next(now: number): string | undefined {
    if (now < this.wakeAt) return undefined;
    const ready = [...this.#peers].filter(([, peer]) => now >= peer.ready);
    const fresh = ready.filter(([, peer]) => peer.fresh);
    const chosen =
      fresh.length > 0 ? this.#oneOf(fresh) : now >= this.#round ? this.#drawn(ready) : undefined;
    if (chosen === undefined) return undefined;
    const [nodeId, peer] = chosen;
    peer.fresh = false;
    peer.open = Math.min(MOST_OPEN, peer.open + 1);
    peer.ready =
      now + this.#interval * (peer.open < MOST_OPEN ? 1 : SILENCE) * this.#between(1, 1.2);
    this.#round = this.#nextRound(now);
    return nodeId;
  }

  /**
   * Decides about a peer's request. The first two are free, and times are measured from the second
   * one (Tendermint's rule). A later request is abuse if it comes sooner than a third of the
   * interval after the last one, except for one extra request after a pause of two thirds. In a
   * further session of a proven peer, the first two requests are not answered if they come too
   * soon; the peer is not blamed, because it may merely have reconnected (tendermint#3338). A seed
   * answers a peer that dialed it only once. If such a peer asks again, it has already been
   * disconnected but has not noticed yet, so the request is ignored. Requests of peers that are not
   * connected are ignored, too.
   */
  requested(nodeId: string, now: number): RequestVerdict {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return 'ignored';
    const isParting = this.#seed && peer.direction === 'in' && !peer.persistent;
    if (isParting && peer.requests > 0) return 'ignored';
    const last = peer.requested;
    const count = ++peer.requests;
    const pace = this.#interval / 3;
    const before = this.#requests.of(nodeId, now);
    const isHasty =
      count <= FREE_REQUESTS && before.answers >= FREE_REQUESTS && now - before.answered < pace;
    if (isHasty) return isParting ? 'part' : 'ignored';
    if (count > FREE_REQUESTS && now - last < pace) return 'too_many_requests';
    // A pause without requests allows one extra request, because after a stall of this node two
    // requests arrive at once, as many as a peer may have open.
    if (!isParting)
      peer.requested = count > FREE_REQUESTS ? Math.max(last + pace, now - pace) : now;
    before.answers++;
    before.answered = now;
    return isParting ? 'answer_and_part' : 'answer';
  }

  /**
   * Decides about a list of addresses. It is unsolicited if no request to that peer is open;
   * disconnect and ban such a peer. A late answer is accepted. Up to three more lists within three
   * seconds after an answer are treated as repetitions and ignored, because a connection may
   * deliver the request and each of the answers twice.
   */
  received(nodeId: string, now: number): 'answer' | 'ignored' | 'unsolicited' {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return 'unsolicited';
    if (peer.open === 0) {
      const isRepeated = now - peer.answered < REPEAT_TIME && peer.repeats++ < REPEATS;
      return isRepeated ? 'ignored' : 'unsolicited';
    }
    peer.open--;
    peer.answered = now;
    peer.repeats = 0;
    // The time is counted from the answer rather than from the request, because by the time of the
    // answer the peer has certainly received the request.
    peer.ready = now + this.#interval * (peer.open === 0 ? 1 / 3 : 1) * this.#between(1.1, 1.3);
    return 'answer';
  }

  /**
   * Cancels out-of-turn requests to peers that have just connected. Like Tendermint, this asks when
   * a peer is added and then in rounds.
   */
  #putOff(now: number): void {
    for (const peer of this.#peers.values()) peer.fresh = false;
    if (now >= this.#round) this.#round = this.#nextRound(now);
  }

  #drawn(ready: readonly ExchangeCandidate[]): ExchangeCandidate | undefined {
    const outbound = ready.filter(([, peer]) => peer.direction === 'out');
    const inbound = ready.filter(([, peer]) => peer.direction === 'in');
    const first =
      inbound.length > 0 && (outbound.length === 0 || this.#random() < INBOUND_SHARE)
        ? inbound
        : outbound;
    return this.#oneOf(first);
  }

  #oneOf(candidates: readonly ExchangeCandidate[]): ExchangeCandidate | undefined {
    return candidates[Math.floor(this.#random() * candidates.length)];
  }

  #nextRound(now: number): number {
    return now + this.#interval * this.#between(0.8, 1.2);
  }

  #between(least: number, most: number): number {
    return least + (most - least) * this.#random();
  }
}

/** The answers that a peer got in all its sessions. */
interface Requests {
  /** Number of answers. */
  answers: number;
  /** Time of the last answer. */
  answered: number;
}

class ExchangePeer {
  direction: 'in' | 'out';
  persistent = false;
  /** Time at which its session began. */
  readonly since: number;
  /** True if the peer should be asked out of turn, because it has just connected. */
  fresh: boolean;
  /** Number of this node's requests that the peer may still answer, at most MOST_OPEN. */
  open = 0;
  /**
   * Time at which the peer last answered, and the number of repetitions of that answer since then.
   */
  answered = Number.NEGATIVE_INFINITY;
  repeats = 0;
  /** Time at which the peer may be asked next. */
  ready: number;
  /** Number of requests that the peer has made. */
  requests = 0;
  /**
   * The time from which the peer's next request is measured: the time of its last answered request
   * or, after a pause, up to a third of the interval earlier.
   */
  requested: number;

  constructor(direction: 'in' | 'out', now: number) {
    this.direction = direction;
    this.fresh = direction === 'out';
    this.since = this.ready = this.requested = now;
  }
}

type ExchangeCandidate = readonly [nodeId: string, peer: ExchangePeer];

/** Number of requests of a session that may come at any time. */
const FREE_REQUESTS = 2;
/**
 * Maximum number of open requests to a peer. A request or its answer may get lost, so a second
 * request may be open; a peer that answers neither is unlikely to answer a third.
 */
const MOST_OPEN = 2;
/**
 * Number of intervals after which a peer with that many open requests is asked again anyway.
 * Otherwise two losses during a session of weeks would mean that the peer is never asked again.
 */
const SILENCE = 10;
/** Number of repetitions of an answer for which a peer is not blamed. */
const REPEATS = 3;
/**
 * Milliseconds after an answer in which repetitions are ignored; a connection that delivers an
 * answer twice does so soon.
 */
const REPEAT_TIME = 3_000;
/**
 * In seed mode, milliseconds that a peer may stay. Tendermint uses 28 hours, because in that time
 * its consensus decides that a peer is good. Here a peer stays only for an answer, and its place is
 * needed for the next peer.
 */
const LONGEST_STAY = 300_000;
/** Share of rounds in which inbound peers are asked first; the value is a guess. */
const INBOUND_SHARE = 0.25;
