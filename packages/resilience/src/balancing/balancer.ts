// The balancer: a client interceptor that sends the calls to a name to the addresses behind it.

import {
  type AnyTransport,
  type ClientCall,
  type ClientInterceptor,
  type Clock,
  type Random,
  type Resolver,
  TransportError,
} from '@trunkline/transport-core';
import {
  type ClientNext,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import {
  isCallersEnd,
  isLostConnection,
  isOwnFailure,
  isServerFailure,
  isTimedOut,
  isUnreachable,
  refusalOf,
} from '../failures.ts';
import { follow } from '../followed-call.ts';
import { clockField, number, randomField } from '../option-fields.ts';
import { TickClock } from '../tick-clock.ts';
import type { AddressState, Outcome } from './address-state.ts';
import { BalancedName } from './balanced-name.ts';
import { leastLoaded } from './least-loaded.ts';
import type { BalancingPolicy, PickingPolicy } from './policy.ts';
import { routeOf } from './route.ts';

/** Options of {@link createBalancer}. */
export interface BalancerOptions {
  /**
   * Finds the addresses of names. Targets that it does not handle are dialed as they are. Errors
   * that `resolveNow` throws are ignored.
   */
  readonly resolve: Resolver;
  /** Chooses the address of each call. Default `leastLoaded()`. */
  readonly policy?: BalancingPolicy | undefined;
  /**
   * Ejects addresses whose calls fail more often than those of others. Default: off. The defaults
   * of its options are those of gRFC A50.
   */
  readonly outliers?:
    | {
        /** The interval between examinations, in milliseconds. Default 10,000. */
        readonly interval?: number | undefined;
        /**
         * Duration of the first ejection in milliseconds; the n-th consecutive ejection lasts n
         * times as long. Default 30,000.
         */
        readonly baseEjection?: number | undefined;
        /** The longest ejection in milliseconds, at least `baseEjection`. Default 300,000. */
        readonly maxEjection?: number | undefined;
        /**
         * Percentage of ejected addresses from which no further one is ejected. One address may
         * always be ejected, but never the last one. Default 10.
         */
        readonly maxEjectionPercent?: number | undefined;
        /**
         * Number of standard deviations by which the success rate of an address may be below the
         * mean of all addresses; beyond it, the address is ejected. 0 turns this rule off. Default
         * 1.9.
         */
        readonly successRateFactor?: number | undefined;
        /**
         * Percentage of failed calls above which an address is ejected; 100 turns this rule off.
         * Default 85.
         */
        readonly failurePercent?: number | undefined;
        /**
         * Minimum number of addresses with enough calls; if there are fewer, no address is ejected.
         * Default 5, as for both rules of A50.
         */
        readonly minAddresses?: number | undefined;
        /**
         * Minimum number of calls in an interval; an address with fewer is not examined. Default
         * 100.
         */
        readonly minCalls?: number | undefined;
      }
    | undefined;
  /**
   * Duration, in milliseconds, over which the weight of an address grows from a tenth to its full
   * value after the address was added, was down or was ejected. Used by `roundRobin` and
   * `leastLoaded`. Default 0: full weight immediately.
   */
  readonly slowStart?: number | undefined;
  /**
   * Watches the health of each address, as gRPC's health checking does: an address gets calls to a
   * protocol only while its `trunkline.health` says that it serves the protocol, or has no such
   * service. Default false.
   */
  readonly healthCheck?: boolean | undefined;
  /**
   * Receives changes to addresses. The function is called synchronously; errors that it throws are
   * ignored.
   */
  readonly onEvent?: ((event: BalancerEvent) => void) | undefined;
  /** Bounds of the tables. */
  readonly limits?:
    | {
        /**
         * Maximum number of names that are watched; with `healthCheck`, a name counts once for each
         * protocol. Beyond it, the least recently used name without waiting calls or holds is
         * forgotten; it is resolved again at its next call. Default 100.
         */
        readonly names?: number | undefined;
        /**
         * Maximum number of addresses of a name; of a longer list, only the first ones are used.
         * Default 1,000.
         */
        readonly addresses?: number | undefined;
        /**
         * Maximum number of calls that wait for the first addresses of a name, or for the first
         * health of one. Further calls fail with `resource_exhausted` (`sent: false`). Default
         * 1,000.
         */
        readonly waiting?: number | undefined;
      }
    | undefined;
  /** The clock of the transport. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** The source of random numbers. Default: the system's. */
  readonly random?: Random | undefined;
}

/**
 * A change to one address. `down`: the address could not be reached or lost its connection, so
 * after a back-off it gets only one call at a time; or its health says that it does not serve.
 * `up`: one of these calls has succeeded, or it serves again.
 */
export interface BalancerEvent {
  readonly type: 'added' | 'removed' | 'up' | 'down' | 'ejected' | 'returned';
  readonly name: string;
  readonly address: string;
}

/** The state of a balancer as plain data. */
export interface BalancerSnapshot {
  readonly policy: string;
  /** The number of events of all names since the start, by type. */
  readonly events: Readonly<Record<BalancerEvent['type'], number>>;
  /** The names that are watched. */
  readonly names: readonly {
    readonly name: string;
    /** False until the resolver has reported a first list. */
    readonly resolved: boolean;
    /** Number of calls that wait for that list, or for the first health of an address. */
    readonly waiting: number;
    /** The addresses of the name. */
    readonly addresses: readonly {
      readonly address: string;
      readonly priority: number;
      /** The current weight; during a slow start, it is less than the resolver's. */
      readonly weight: number;
      /** `up` if the address gets calls, otherwise the reason why it gets none. */
      readonly status: 'up' | 'down' | 'probing' | 'not_serving' | 'ejected' | 'removed';
      readonly inFlight: number;
      /** The average latency in milliseconds; undefined before the first answer. */
      readonly latency: number | undefined;
      /**
       * Number of attempts that have ended, and (`failures`) how many of them counted against the
       * address.
       */
      readonly calls: number;
      readonly failures: number;
    }[];
  }[];
}

/** A balancer, made by {@link createBalancer}. */
export interface Balancer {
  /**
   * The interceptor. Pass it among the transport's client interceptors, after the one for retries,
   * and before that of a circuit breaker for each address.
   */
  readonly interceptor: ClientInterceptor;
  /**
   * Watches a name, and holds connections over this transport to the addresses of the name (with
   * `pickFirst`, only to the one in use) until the returned function is called or the balancer
   * closes. Each hold lasts until its own release. Without a hold, connections are dialed when they
   * are needed, and are closed when they are idle.
   *
   * @throws TypeError for a name that the resolver does not handle, and what its `watch` throws.
   */
  hold(transport: AnyTransport, name: string): () => void;
  snapshot(): BalancerSnapshot;
  /** Stops watching names and releases connections. Later calls to names fail with `shutdown`. */
  close(): void;
}

/**
 * Creates a balancer over the addresses that a resolver reports. If the target of a call is a name,
 * the balancer replaces it with one of the addresses behind the name.
 *
 * @throws TypeError that names the invalid option.
 */
export function createBalancer(options: BalancerOptions): Balancer {
  return new NamesBalancer(options);
}

class NamesBalancer implements Balancer {
  readonly interceptor: ClientInterceptor;
  readonly #options;
  readonly #policy: PickingPolicy;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #ticks: TickClock;
  readonly #events = { added: 0, removed: 0, up: 0, down: 0, ejected: 0, returned: 0 };
  /** The resolved names, the least recently used first. */
  readonly #names = new Map<string, { readonly of: BalancedName; readonly stop: () => void }>();
  /** The name of the last call, because the next call is often to the same name. */
  #last: BalancedName | undefined = undefined;
  #isClosed = false;

  constructor(options: BalancerOptions) {
    this.#options = parseOptions(schema, options, 'createBalancer');
    this.#policy = this.#options.policy as PickingPolicy;
    this.#resolver = this.#options.resolve;
    this.#clock = this.#options.clock;
    this.#ticks = new TickClock(this.#clock);
    this.interceptor = (next) => (call) => this.#balance(next, call);
  }

  #balance(next: ClientNext, call: ClientCall): Promise<unknown> {
    const { target } = call;
    if (typeof target !== 'string') return next(call);
    const { healthCheck } = this.#options;
    const isLast = !healthCheck && this.#last?.name === target;
    const name = isLast ? this.#last! : this.#nameOf(target, call.protocol);
    if (name === undefined) return next(call);
    this.#last = name;
    // An attempt that fails before it has an address must not use the outlook of an earlier one.
    routeOf(call).outlook = 'again';
    // Core's calls know their transport.
    if (healthCheck) name.checkOver((call as { transport?: AnyTransport }).transport!);
    if (name.isReady) return this.#forward(next, call, name);
    return name.untilResolved(call).then(() => this.#forward(next, call, name));
  }

  #forward(next: ClientNext, call: ClientCall, name: BalancedName): Promise<unknown> {
    const now = this.#ticks.now();
    const route = routeOf(call);
    let address: AddressState;
    try {
      address = name.pick(call, now, route.tried);
    } catch (error) {
      return Promise.reject(error);
    }
    route.tried.push(address);
    call.target = address.address;
    address.started();
    const ended = (error: unknown) => {
      const outcome = error === undefined ? 'success' : outcomeOf(error);
      if (outcome === 'unreachable') address.refusal = refusalOf(error);
      const end = this.#ticks.now();
      name.ended(address, outcome, end - now, end);
      if (outcome === 'unreachable') route.outlook = name.outlook(route.tried, end);
      if (outcome === 'unreachable' || outcome === 'lost')
        ignoringErrors(() => this.#resolver.resolveNow?.(name.name));
    };
    return follow(next, call, ended, () => address.reached(this.#ticks.now()));
  }

  #nameOf(target: string, protocol: string): BalancedName | undefined {
    // Health belongs to a protocol, so each protocol has its own state of the addresses.
    const key = this.#options.healthCheck ? `${target} ${protocol}` : target;
    const known = this.#names.get(key);
    if (known !== undefined) {
      this.#names.delete(key);
      this.#names.set(key, known);
      return known.of;
    }
    return this.#resolver.handles(target) ? this.#watch(key, target, protocol) : undefined;
  }

  #watch(key: string, target: string, protocol: string): BalancedName {
    const { healthCheck, limits, outliers, random, slowStart } = this.#options;
    const name = new BalancedName(target, {
      clock: this.#clock,
      service: healthCheck ? protocol : undefined,
      address: { random, slowStart, healthCheck },
      outliers,
      most: limits.addresses,
      waiting: limits.waiting,
      picker: this.#policy.create(random),
      picksOne: this.#policy.picksOne,
      changed: (of, address, type) => this.#tell({ type, name: of, address }),
    });
    if (this.#isClosed) {
      name.close();
      return name;
    }
    this.#makeRoom(limits.names);
    this.#names.set(key, { of: name, stop: this.#resolver.watch(target, name) });
    return name;
  }

  #makeRoom(most: number): void {
    for (const [target, { of, stop }] of this.#names) {
      if (this.#names.size < most) return;
      if (of.waiting > 0 || of.isHeld) continue;
      stop();
      of.close();
      this.#names.delete(target);
      if (this.#last === of) this.#last = undefined;
    }
  }

  #tell(event: BalancerEvent): void {
    this.#events[event.type]++;
    ignoringErrors(() => this.#options.onEvent?.(event));
  }

  hold(transport: AnyTransport, name: string): () => void {
    if (!this.#resolver.handles(name))
      throw new TypeError(`hold: the resolver of this balancer does not know the name '${name}'`);
    return this.#nameOf(name, transport.protocol.name)!.holdOn(transport);
  }

  snapshot(): BalancerSnapshot {
    const now = this.#clock.now();
    return {
      policy: this.#policy.name,
      events: { ...this.#events },
      names: [...this.#names.values()].map(({ of }) => ({
        name: of.name,
        resolved: of.isResolved,
        waiting: of.waiting,
        addresses: of.addresses.map((each) => snapshotOf(each, now)),
      })),
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#last = undefined;
    for (const { of, stop } of this.#names.values()) {
      stop();
      of.close();
    }
    this.#names.clear();
  }
}

function snapshotOf(
  state: AddressState,
  now: number,
): BalancerSnapshot['names'][number]['addresses'][number] {
  const { address, priority, inFlight, calls, failures } = state;
  return {
    address,
    priority,
    weight: state.weightAt(now),
    status: state.statusAt(now),
    inFlight,
    latency: state.latencyAt(now),
    calls,
    failures,
  };
}

/** Calls a function of the program, whose errors must not affect the calls that it observes. */
function ignoringErrors(run: () => void): void {
  try {
    run();
  } catch {}
}

function outcomeOf(error: unknown): Outcome {
  if (isCallersEnd(error) || isOwnFailure(error)) return 'ignored';
  if (isUnreachable(error)) return 'unreachable';
  if (isLostConnection(error)) return 'lost';
  if (isTimedOut(error)) return 'late';
  if (error instanceof TransportError && error.origin === 'local' && error.sent === false)
    return 'ignored';
  return isServerFailure(error) ? 'failure' : 'success';
}

/** Upper bound of the fractions and counts in options. */
const MOST = 1_000_000;

const schema = optionsSchema({
  resolve: option.reference<Resolver>(
    (value) => typeof (value as Resolver | undefined)?.watch === 'function',
    'a Resolver',
  ),
  policy: option.withDefault(
    option.reference<BalancingPolicy>(
      (value) => typeof (value as PickingPolicy | undefined)?.create === 'function',
      'a policy, such as roundRobin()',
    ),
    leastLoaded(),
  ),
  outliers: option.optional(
    option.group({
      interval: option.withDefault(option.milliseconds(), 10_000),
      baseEjection: option.withDefault(option.milliseconds(), 30_000),
      maxEjection: option.withDefault(option.milliseconds(), 300_000),
      maxEjectionPercent: option.withDefault(number(0, 100), 10),
      successRateFactor: option.withDefault(number(0, MOST), 1.9),
      failurePercent: option.withDefault(number(0, 100), 85),
      minAddresses: option.withDefault(option.integer(1, MOST), 5),
      minCalls: option.withDefault(option.integer(1, MOST), 100),
    }),
  ),
  slowStart: option.withDefault(number(0, 0x7fff_ffff), 0),
  healthCheck: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    false,
  ),
  onEvent: option.optional(option.callback<(event: BalancerEvent) => void>()),
  limits: option.group({
    names: option.withDefault(option.integer(1, MOST), 100),
    addresses: option.withDefault(option.integer(1, MOST), 1_000),
    waiting: option.withDefault(option.integer(1, MOST), 1_000),
  }),
  clock: clockField,
  random: randomField,
});
