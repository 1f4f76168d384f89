// Peer exchange: whom to ask for addresses and when, whose requests are answered, and which answers are taken. Tendermint's PEX reactor
// (p2p/pex/pex_reactor.go) as a pure machine; on the wire it is two one-way messages, a request and a list of addresses.

import type { Random } from '@trunkline/transport-core';
import { type AddressEntry, readAddressEntry } from './address-entry.ts';

export interface PeerExchangeOptions {
  readonly random: Random;
  /**
   * Milliseconds between two rounds of asking, 30,000 where absent (Tendermint's ensurePeersPeriod). A peer may ask three times as
   * often. It has to be the same in the whole network: who has less than a third of the others' is taken for an abuser.
   */
  readonly interval?: number | undefined;
  /** Seed mode: who dials in is answered once and parted from, and nobody stays for long. */
  readonly seed?: boolean | undefined;
  /**
   * In seed mode, milliseconds that a peer may stay: 300,000 where absent. Tendermint's 28 hours are what its consensus takes to find
   * a peer good; here only an answer is waited for, and a seed's places are better given to the next.
   */
  readonly welcome?: number | undefined;
}

/** What to do with a request: 'answer_and_part' is to send the answer, flush and disconnect; 'abuse' is to disconnect (Tendermint bans it too). */
export type RequestVerdict = 'answer' | 'answer_and_part' | 'ignore' | 'abuse';

/** What to make of a list: 'unsolicited' is to disconnect and ban, 'repeated' is of no use; `dropped` counts the entries that were not kept. */
export type ReceivedAddresses =
  | { readonly kind: 'repeated' }
  | { readonly kind: 'unsolicited' }
  | { readonly kind: 'addresses'; readonly entries: readonly AddressEntry[]; readonly dropped: number };

/** At most so many entries of a list are looked at: Tendermint's maxGetSelection. An answer has to hold no more. */
export const MOST_ADDRESSES = 250;

/** Its memory is bounded by the connected peers. */
export class PeerExchange {
  readonly #random: Random;
  readonly #interval: number;
  readonly #seed: boolean;
  readonly #welcome: number;
  readonly #peers = new Map<string, Peer>();
  /** When a round may next ask somebody; the first at once, so that an empty book fills quickly. */
  #round = Number.NEGATIVE_INFINITY;

  constructor(options: PeerExchangeOptions) {
    this.#random = options.random;
    this.#interval = options.interval ?? 30_000;
    this.#seed = options.seed ?? false;
    this.#welcome = options.welcome ?? 300_000;
  }

  /** A session with a peer begins. Of one that is there already, only direction and persistence change. */
  connected(nodeId: string, now: number, { direction, persistent }: { direction: 'in' | 'out'; persistent: boolean }): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) {
      const fresh = direction === 'out';
      this.#peers.set(nodeId, {
        direction,
        persistent,
        since: now,
        fresh,
        open: 0,
        answered: Number.NEGATIVE_INFINITY,
        repeats: 0,
        ready: now,
        requests: 0,
        requested: now,
      });
    } else {
      peer.direction = direction;
      peer.persistent = persistent;
    }
  }

  /**
   * The session is over, and all that was known of it goes: a rate limit that outlives it accuses peers that merely reconnected
   * (tendermint#3338). Who reconnects to get round the limit gets two answers a connection, and pays for each with a handshake: what
   * bounds it are the transport's `limits.handshakes` (pending, and per source), the cap of inbound peers and the book's bans.
   */
  gone(nodeId: string): void {
    this.#peers.delete(nodeId);
  }

  /**
   * Whom to ask for addresses now; undefined: nobody. The driver sends the request. Call it at `due`, and when a peer has connected,
   * until it gives undefined; it is fine to call it more often. An outbound peer is asked as soon as it is connected; else one peer a
   * round (the interval ± 20 %), at random: an outbound one if one may be asked, but for one round in four, as inbound peers may
   * know whom the others don't, and yet they chose us.
   * @param wanted are more addresses wanted? If not, the question is put off to the next round.
   */
  ask(now: number, wanted: boolean): string | undefined {
    if (!wanted) return this.#putOff(now);
    if (now < this.due) return undefined;
    const ready = [...this.#peers].filter(([, peer]) => now >= peer.ready);
    const fresh = ready.filter(([, peer]) => peer.fresh);
    const chosen = fresh.length > 0 ? this.#oneOf(fresh) : now >= this.#round ? this.#drawn(ready) : undefined;
    if (chosen === undefined) return undefined;
    const [nodeId, peer] = chosen;
    peer.fresh = false;
    peer.open = Math.min(MOST_OPEN, peer.open + 1);
    peer.ready = now + this.#interval * (peer.open < MOST_OPEN ? 1 : SILENCE) * this.#between(1, 1.2);
    this.#round = this.#nextRound(now);
    return nodeId;
  }

  /** When `ask` may next give somebody; `Infinity` while nobody is connected. */
  get due(): number {
    let fresh = Number.POSITIVE_INFINITY;
    let ready = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) {
      ready = Math.min(ready, peer.ready);
      if (peer.fresh) fresh = Math.min(fresh, peer.ready);
    }
    return Math.min(fresh, Math.max(ready, this.#round));
  }

  /**
   * A peer asks us. The first request is free, and so is the second, which starts the clock (Tendermint's rule); later ones that come
   * sooner than a third of the interval after the last are abuse, but for one after a pause of two thirds. A seed answers a peer that dialled it once; who asks again was
   * parted from and just hasn't noticed yet. So is one that isn't connected: both are ignored.
   */
  requested(nodeId: string, now: number): RequestVerdict {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return 'ignore';
    const last = peer.requested;
    const count = ++peer.requests;
    if (this.#seed && peer.direction === 'in' && !peer.persistent) return count === 1 ? 'answer_and_part' : 'ignore';
    const pace = this.#interval / 3;
    if (count > FREE_REQUESTS && now - last < pace) return 'abuse';
    // Of time that passed with no request, one more may come of it: after a stall of ours two come at once, as many as a peer has open.
    peer.requested = count > FREE_REQUESTS ? Math.max(last + pace, now - pace) : now;
    return 'answer';
  }

  /** Is a request of ours open to that peer? */
  expects(nodeId: string): boolean {
    return (this.#peers.get(nodeId)?.open ?? 0) > 0;
  }

  /**
   * A list came. It is unsolicited where no request of ours is open to that peer; a late answer is an answer. Three lists more in the three
   * seconds after an answer are taken for its repetitions, and ignored: links may deliver twice, the request and each of its answers. Each of the first 250
   * entries is read by itself: what is no entry, or stands there twice, is dropped, and the rest is kept.
   */
  received(nodeId: string, entries: readonly unknown[], now: number): ReceivedAddresses {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return { kind: 'unsolicited' };
    if (peer.open === 0) {
      const isRepeated = now - peer.answered < REPEAT_TIME && peer.repeats++ < REPEATS;
      return { kind: isRepeated ? 'repeated' : 'unsolicited' };
    }
    peer.open--;
    peer.answered = now;
    peer.repeats = 0;
    // From the answer on, not from the request: the peer surely had the request before, however long it was on its way.
    peer.ready = now + this.#interval * (peer.open === 0 ? 1 / 3 : 1) * this.#between(1.1, 1.3);
    const kept = readAddressEntries(entries);
    return { kind: 'addresses', entries: kept, dropped: entries.length - kept.length };
  }

  /**
   * In seed mode, the peers that stayed longer than their welcome, to part from; never persistent ones. They are named again until
   * they are gone. To be asked at each crawl.
   */
  overstayed(now: number): string[] {
    if (!this.#seed) return [];
    return [...this.#peers].filter(([, peer]) => !peer.persistent && now - peer.since >= this.#welcome).map(([nodeId]) => nodeId);
  }

  /** Nobody is asked for having just connected: as Tendermint, which looks when a peer is added and then in rounds. */
  #putOff(now: number): undefined {
    for (const peer of this.#peers.values()) peer.fresh = false;
    if (now >= this.#round) this.#round = this.#nextRound(now);
  }

  #drawn(ready: readonly Candidate[]): Candidate | undefined {
    const outbound = ready.filter(([, peer]) => peer.direction === 'out');
    const inbound = ready.filter(([, peer]) => peer.direction === 'in');
    const first = inbound.length > 0 && (outbound.length === 0 || this.#random() < INBOUND_SHARE) ? inbound : outbound;
    return this.#oneOf(first);
  }

  #oneOf(candidates: readonly Candidate[]): Candidate | undefined {
    return candidates[Math.floor(this.#random() * candidates.length)];
  }

  #nextRound(now: number): number {
    return now + this.#interval * this.#between(0.8, 1.2);
  }

  #between(least: number, most: number): number {
    return least + (most - least) * this.#random();
  }
}

/** Reads the first 250 entries of a list, each by itself; what is no entry, or stands there twice, is dropped. */
export function readAddressEntries(entries: readonly unknown[]): AddressEntry[] {
  const kept = new Map<string, AddressEntry>();
  for (const value of entries.slice(0, MOST_ADDRESSES)) {
    const read = readAddressEntry(value);
    if (read !== undefined && !kept.has(read.key)) kept.set(read.key, read.entry);
  }
  return [...kept.values()];
}

interface Peer {
  direction: 'in' | 'out';
  persistent: boolean;
  /** When its session began. */
  readonly since: number;
  /** To be asked out of turn, as it just connected. */
  fresh: boolean;
  /** Requests of ours that it may still answer, at most MOST_OPEN. */
  open: number;
  /** When it last answered, and how often that was repeated since. */
  answered: number;
  repeats: number;
  /** When it may be asked next. */
  ready: number;
  /** Requests that it made. */
  requests: number;
  /** When it made the last of them that was answered. */
  requested: number;
}

type Candidate = readonly [nodeId: string, peer: Peer];

/** Requests of a session that may come at any time. */
const FREE_REQUESTS = 2;
/** A request or its answer can get lost, so a second may be out; who answers neither isn't likely to answer a third. */
const MOST_OPEN = 2;
/** Intervals until it is tried all the same: in a session of weeks, two losses would else silence a peer. */
const SILENCE = 10;
/** Repetitions of an answer that are nobody's fault. */
const REPEATS = 3;
/** Milliseconds after an answer in which they come: a link that delivers twice does so soon. */
const REPEAT_TIME = 3_000;
/** The share of rounds in which inbound peers come first: a guess. */
const INBOUND_SHARE = 0.25;
