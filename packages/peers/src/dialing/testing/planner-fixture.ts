// A simulated network for the dial planner: answers its dials, and calls `plan` when it is due or
// at fixed times.

import { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import type { DialCandidate, DialOrder, DialPlannerOptions, PlannerView } from '../dial-order.ts';
import { DialPlanner } from '../dial-planner.ts';
import { addressKey, type TopologyDiff } from '../targets.ts';

/**
 * The outcome of a dial: an error, or a connection that lasts for `lives` milliseconds and ends
 * with `end`.
 */
export type Outcome =
  | { readonly after: number; readonly error: TransportError }
  | {
      readonly after: number;
      readonly nodeId: string;
      readonly lives: number;
      readonly end: TransportError;
    };

export interface PlannerFixtureOptions
  extends Partial<Omit<DialPlannerOptions, 'now' | 'random' | 'perHost'>> {
  readonly perHost?: number | undefined;
  readonly seed?: number;
  readonly book?: DialCandidate[];
  readonly own?: string[];
  readonly tests?: DialCandidate[];
  /**
   * Interval, in milliseconds, at which `plan` is called. Default: `plan` is called when the
   * planner is due.
   */
  readonly poll?: number;
  /** Times are rounded up to a multiple of this number of milliseconds. Default 1. */
  readonly grain?: number;
  outcome?(order: DialOrder, count: number, now: number): Outcome;
}

export type Dialed = DialOrder & { readonly at: number };

export class PlannerFixture implements PlannerView {
  now = 0;
  readonly planner: DialPlanner;
  readonly dialed: Dialed[] = [];
  readonly underWay = new Set<DialOrder>();
  /** Canonical addresses of this node. */
  readonly own = new Set<string | undefined>();
  /** Banned ids. An id whose address is given up is added, which the driver does not do. */
  readonly banned = new Set<string>();
  readonly givenUp: string[] = [];
  readonly book: DialCandidate[];
  /** The number of calls of `plan`. */
  asked = 0;
  /** Called after each call of `plan`. */
  check: (orders: DialOrder[]) => void = () => {};
  readonly #options: PlannerFixtureOptions;
  readonly #links = new Map<string, { readonly ordinary: boolean }>();
  readonly #events: { at: number; run: () => void }[] = [];
  readonly #counts = new Map<string, number>();

  constructor(options: PlannerFixtureOptions) {
    this.#options = options;
    this.book = options.book ?? [];
    for (const address of options.own ?? []) this.own.add(addressKey(address));
    this.planner = new DialPlanner({
      persistent: [],
      seeds: [],
      maxOutbound: 10,
      reconnect: RECONNECT,
      ...options,
      random: seededRandom(options.seed ?? 1),
      now: 0,
      view: this,
    });
  }

  isConnected(nodeId: string): boolean {
    return this.#links.has(nodeId);
  }

  isOwn(address: string): boolean {
    return this.own.has(addressKey(address));
  }

  isBanned(nodeId: string): boolean {
    return this.banned.has(nodeId);
  }

  get outbound(): number {
    return [...this.#links.values()].filter(({ ordinary }) => ordinary).length;
  }

  pick(eligible: (candidate: DialCandidate) => boolean): DialCandidate | undefined {
    return this.book.find(eligible);
  }

  toTest(): DialCandidate | undefined {
    return this.#options.tests?.[this.#counts.get('test') ?? 0];
  }

  /** Adds a connection that another node dialed. */
  comeIn(nodeId: string): void {
    this.#links.set(nodeId, { ordinary: false });
    this.ask();
  }

  lose(nodeId: string, address: string | undefined, error: TransportError): void {
    this.#links.delete(nodeId);
    const persistent = this.planner.persistent.has(nodeId, address);
    this.planner.lost({ nodeId, address, persistent }, error, this.now);
    this.ask();
  }

  at(time: number, run: () => void): void {
    this.#events.push({ at: this.#round(time), run });
  }

  ask(): void {
    this.asked++;
    const orders = this.planner.plan(this.now);
    if (this.planner.wakeAt <= this.now) throw new Error(`at ${this.now} it is due again at once`);
    for (const order of orders) this.#dial(order);
    this.check(orders);
  }

  run(until: number): void {
    const { poll } = this.#options;
    if (this.asked === 0) this.ask();
    for (;;) {
      this.#events.sort((a, b) => a.at - b.at); // Stable: ties stay in order.
      const due =
        poll === undefined
          ? this.#round(Math.max(this.now, this.planner.wakeAt))
          : this.now + poll - (this.now % poll);
      const next = Math.min(due, this.#events[0]?.at ?? Number.POSITIVE_INFINITY);
      if (next > until) break;
      this.now = next;
      while ((this.#events[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now)
        this.#events.shift()!.run();
      if (due <= next) this.ask();
    }
    this.now = until;
  }

  #dial(order: DialOrder): void {
    const count = (this.#counts.get(order.address) ?? 0) + 1;
    this.#counts.set(order.address, count);
    if (order.kind === 'test') this.#counts.set('test', (this.#counts.get('test') ?? 0) + 1);
    this.dialed.push({ ...order, at: this.now });
    this.underWay.add(order);
    const outcome = this.#options.outcome?.(order, count, this.now) ?? {
      after: 20,
      error: reasonError('connection_refused', 'nobody listens'),
    };
    this.at(this.now + outcome.after, () => this.#settle(order, outcome));
  }

  #settle(order: DialOrder, outcome: Outcome): void {
    this.underWay.delete(order);
    if ('error' in outcome) {
      if (outcome.error.reason === 'self') this.own.add(addressKey(order.address));
      if (this.planner.failed(order, outcome.error, this.now)) {
        this.givenUp.push(order.address);
        this.banned.add(order.nodeId!);
      }
      return this.ask();
    }
    const { nodeId, lives, end } = outcome;
    if (this.isConnected(nodeId))
      this.planner.failed(order, reasonError('duplicate', 'there is a link'), this.now);
    else {
      this.#links.set(nodeId, { ordinary: order.kind !== 'persistent' && order.kind !== 'test' });
      this.planner.opened(order, nodeId, this.now);
      this.at(this.now + lives, () => this.lose(nodeId, order.address, end));
    }
    this.ask();
  }

  #round(time: number): number {
    const { grain } = this.#options;
    return grain === undefined ? time : Math.ceil(time / grain) * grain;
  }
}

/** Returns a fixture that has run until a time. */
export function ran(until: number, options: PlannerFixtureOptions): PlannerFixture {
  const fixture = new PlannerFixture(options);
  fixture.run(until);
  return fixture;
}

/** Adds a persistent peer, as `peers.add` does. */
export const addPersistent = ({ planner }: PlannerFixture, target: string): TopologyDiff =>
  planner.setPersistent([...planner.persistent.texts, target]);

/** Returns the dials of a kind. */
export const dialsOf = ({ dialed }: PlannerFixture, kind: DialOrder['kind']): Dialed[] =>
  dialed.filter((dial) => dial.kind === kind);

/** Returns the times between the dials of an address, by default of the first one. */
export function gaps({ dialed }: PlannerFixture, address = dialed[0]!.address): number[] {
  const times = dialed.filter((order) => order.address === address).map(({ at }) => at);
  return times.slice(1).map((at, i) => at - times[i]!);
}

export const addressesOf = ({ dialed }: PlannerFixture): string[] =>
  dialed.map(({ address }) => address);

/** Opens a connection that lasts for `lives` milliseconds. */
export const up =
  (lives: number, end: TransportError = reset) =>
  (order: DialOrder): Outcome => ({
    after: 20,
    nodeId: order.nodeId ?? idAt(order.address),
    lives,
    end,
  });

/** A dial that is never answered. */
export const hang = (): Outcome => ({ after: 1e9, error: refused });

export const HOUR = 3_600_000;
/** The values of gRPC. */
export const RECONNECT = { interval: 1_000, max: 120_000, jitter: 0.2 };

export const idOf = (number: number): string => number.toString(16).padStart(64, '0');
export const someone = (number: number): DialCandidate => ({
  nodeId: idOf(number),
  address: `10.0.${number >> 8}.${number & 255}:7000`,
});
export const someones = (count: number, first = 1): DialCandidate[] =>
  Array.from({ length: count }, (_, i) => someone(first + i));
/** The id of the node at an address that was dialed without one. */
export const idAt = (address: string): string =>
  idOf([...address].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 65_536, 0) + 1e5);
export const refused = new TransportError('unavailable', 'refused', {
  reason: 'connection_refused',
});
export const reset = reasonError('reset', 'reset');
