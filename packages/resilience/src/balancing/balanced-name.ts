// One name that a balancer resolves: its addresses, the calls that wait for the first list or for
// the first health, and the connections that are held.

import {
  type AnyTransport,
  type ClientCall,
  type Clock,
  type ResolvedAddress,
  TransportError,
} from '@trunkline/transport-core';
import type { ResolutionObserver } from '@trunkline/transport-core/backend';
import { type AddressChange, AddressSet, type AddressSetSettings } from './address-set.ts';
import type { AddressState, Outcome } from './address-state.ts';
import { HealthChecks } from './health-checks.ts';
import type { Outlook } from './route.ts';

/** The settings of a BalancedName. */
export interface BalancedNameSettings extends Omit<AddressSetSettings, 'changed'> {
  readonly clock: Clock;
  /** The service whose health is watched; undefined if none is. */
  readonly service: string | undefined;
  /** Maximum number of calls that wait in `untilResolved`. */
  readonly waiting: number;
  /** True if the balancer keeps a connection only to the address that it uses. */
  readonly picksOne: boolean;
  readonly changed: (name: string, address: string, change: AddressChange) => void;
}

/** One hold of a name. */
interface Holder {
  readonly transport: AnyTransport;
  /** The functions that release the connections, by address. */
  readonly releases: Map<string, () => void>;
}

/** A name and its addresses. */
export class BalancedName implements ResolutionObserver {
  readonly name: string;
  readonly #settings: BalancedNameSettings;
  readonly #set: AddressSet;
  readonly #waiters = new Set<(error: TransportError | undefined) => void>();
  #isResolved = false;
  #failure: TransportError | undefined = undefined;
  readonly #checks: HealthChecks | undefined;
  /** The holds of this name, each with the functions that release its addresses. */
  readonly #holders = new Set<Holder>();
  /** The address of the last call, if only that one is held. */
  #chosen: AddressState | undefined = undefined;

  constructor(name: string, settings: BalancedNameSettings) {
    this.name = name;
    this.#settings = settings;
    this.#set = new AddressSet(
      {
        ...settings,
        changed: (address, change) => settings.changed(name, address.address, change),
      },
      settings.clock.now(),
    );
    const { clock, service } = settings;
    const { random } = settings.address;
    const ready = () => this.#wake(undefined);
    this.#checks =
      service === undefined ? undefined : new HealthChecks({ service, clock, random, ready });
  }

  /** True if calls need not wait for addresses or for their health. */
  get isReady(): boolean {
    if (!this.#isResolved) return false;
    return this.#checks?.isReady !== false || this.addresses.length === 0;
  }

  /** Watches the health of the addresses, if the balancer checks it, over a call's transport. */
  checkOver(transport: AnyTransport): void {
    this.#checks?.start(transport);
  }

  get isResolved(): boolean {
    return this.#isResolved;
  }

  get addresses(): readonly AddressState[] {
    return this.#set.addresses;
  }

  /** Number of calls that wait in `untilResolved`. */
  get waiting(): number {
    return this.#waiters.size;
  }

  get isHeld(): boolean {
    return this.#holders.size > 0;
  }

  // The resolver.

  resolved(addresses: readonly ResolvedAddress[]): void {
    this.#set.update(addresses, this.#settings.clock.now());
    this.#isResolved = true;
    this.#failure = undefined;
    this.#checks?.follow(this.#set.addresses);
    if (this.isReady) this.#wake(undefined);
    this.#hold();
  }

  failed(error: TransportError): void {
    if (this.#isResolved) return;
    this.#failure = error;
    this.#wake(error);
  }

  /**
   * Fails waiting and later calls with `shutdown`, and releases connections: the balancer closes,
   * or forgets the name, to which no call waits then.
   */
  close(): void {
    this.#isResolved = false;
    this.#failure = new TransportError('shutdown', `the balancer of '${this.name}' was closed`);
    this.#wake(this.#failure);
    this.#checks?.close();
    for (const { releases } of this.#holders) for (const release of releases.values()) release();
    this.#holders.clear();
  }

  // Calls.

  /**
   * Resolves when the addresses, and the health of one, are known for the first time. Rejects if
   * the name can't be resolved now, if too many calls wait, or when the call is canceled or its
   * deadline passes.
   */
  async untilResolved(call: ClientCall): Promise<void> {
    if (this.isReady) return;
    if (this.#failure !== undefined) throw this.#error(call, this.#failure);
    if (this.#waiters.size >= this.#settings.waiting)
      throw this.#error(
        call,
        new TransportError(
          'resource_exhausted',
          `${this.#waiters.size} calls already wait for the addresses of '${this.name}' (limits.waiting)`,
        ),
      );
    const { clock } = this.#settings;
    const { signal, deadline } = call;
    const error = await new Promise<TransportError | undefined>((resolve) => {
      const end = (failure: TransportError | undefined) => {
        this.#waiters.delete(end);
        if (timer !== undefined) clock.clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        resolve(failure);
      };
      const cancel = () =>
        end(
          new TransportError('cancelled', 'its signal was aborted while its name was resolved', {
            cause: signal?.reason,
          }),
        );
      const expire = () =>
        end(
          new TransportError(
            'deadline_exceeded',
            `the addresses of '${this.name}' were not known before its deadline`,
          ),
        );
      const timer =
        deadline === undefined ? undefined : clock.setTimeout(expire, deadline - clock.now());
      this.#waiters.add(end);
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted === true) cancel();
    });
    if (error !== undefined) throw this.#error(call, error);
  }

  /**
   * Chooses the address for a call.
   *
   * @throws TransportError `unavailable` (`sent: false`) if the name currently has no address, and
   * errors of the policy, such as that of a key function.
   */
  pick(call: ClientCall, now: number, tried: readonly AddressState[]): AddressState {
    const address = this.#set.pick(call, now, tried);
    if (address === undefined)
      throw this.#error(
        call,
        new TransportError('unavailable', `'${this.name}' has no address now; is it deployed?`),
      );
    const isChoice = tried.length === 0 || !this.#chosen?.takesCalls(now);
    if (this.#settings.picksOne && isChoice && address !== this.#chosen) {
      this.#chosen = address;
      if (this.isHeld) this.#hold();
    }
    return address;
  }

  /** Returns where a call that reached none of the `tried` addresses may go. */
  outlook(tried: readonly AddressState[], now: number): Outlook {
    return this.#set.outlook(tried, now);
  }

  ended(address: AddressState, outcome: Outcome, elapsed: number, now: number): void {
    this.#set.ended(address, outcome, elapsed, now);
  }

  // Connections.

  /**
   * Holds connections to the addresses over this transport, until the returned function is called.
   * Other holds over this transport go on.
   */
  holdOn(transport: AnyTransport): () => void {
    this.checkOver(transport);
    const holder: Holder = { transport, releases: new Map() };
    this.#holders.add(holder);
    this.#hold();
    return () => {
      for (const release of holder.releases.values()) release();
      this.#holders.delete(holder);
    };
  }

  /** Holds the addresses that should be held, and no others. */
  #hold(): void {
    const { addresses } = this.#set;
    const wanted = this.#settings.picksOne
      ? addresses.filter((address) => address === (this.#chosen ?? addresses[0]))
      : addresses;
    for (const { transport, releases } of this.#holders) {
      for (const [address, release] of releases) {
        if (wanted.some((each) => each.address === address)) continue;
        release();
        releases.delete(address);
      }
      for (const { address } of wanted) {
        if (releases.has(address)) continue;
        try {
          releases.set(address, transport.hold(address, { stopOn: [] }));
        } catch {
          // The transport is closed, or can't dial this address; calls to the address will report
          // that.
        }
      }
    }
  }

  #wake(error: TransportError | undefined): void {
    for (const wake of [...this.#waiters]) wake(error);
  }

  /** Returns the error for one call, which no handler has seen. */
  #error({ protocol, method }: ClientCall, error: TransportError): TransportError {
    const { code, reason, cause } = error;
    return new TransportError(code, `${protocol}/${method} to '${this.name}': ${error.message}`, {
      reason,
      sent: false,
      target: this.name,
      cause: cause ?? error,
    });
  }
}
