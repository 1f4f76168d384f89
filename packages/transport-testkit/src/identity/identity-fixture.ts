// The environment of one identity case: nodes on a manual clock, records of what each of them saw,
// and a check that nothing is left at the end.

import {
  type CommonOptions,
  type ObserverEvent,
  type Remote,
  serve,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createManualClock, type ManualClock } from '@trunkline/transport-core/testing';
import { type SuiteProtocol, suiteProtocol } from '../raw/protocols.ts';
import { RawListener } from '../raw/raw-listener.ts';
import { RawPeer } from '../raw/raw-peer.ts';
import type { TestContext } from '../test-runner.ts';
import { watch } from '../transport/values.ts';
import { CaseWaits } from '../waits/case-waits.ts';
import { nameWaits } from '../waits/name-waits.ts';
import type {
  IdentityBackend,
  IdentityChange,
  IdentityCredentials,
  IdentityLists,
} from './backend.ts';
import { RawConnection } from './raw-connection.ts';
import { Relay } from './relay.ts';

/** The first byte of a call that is never answered. */
export const STUCK = 0xff;

/** One node: its transport, and records of everything that reached it. */
export interface IdentityNode {
  readonly nodeId: string;
  readonly credentials: IdentityCredentials;
  readonly transport: Transport<SuiteProtocol>;
  /** The address at which it listens. */
  readonly at: string;
  readonly events: ObserverEvent[];
  /** The calls that its handlers received. */
  readonly served: { readonly request: Uint8Array; readonly from: Remote }[];
  /**
   * The hooks that the node called before a connection was up: 'hello' with the target, 'admit'
   * with the peer.
   */
  readonly asked: string[];
  update(change: IdentityChange<IdentityCredentials>): Promise<void>;
}

export interface NodeSetup {
  readonly credentials?: IdentityCredentials | undefined;
  readonly lists?: IdentityLists | undefined;
  readonly address?: string | undefined;
  /** Options of the transport, except the clock and the observer, which belong to the fixture. */
  readonly options?: Omit<CommonOptions, 'clock' | 'observer'> | undefined;
}

export type EventOf<T extends ObserverEvent['type']> = Extract<ObserverEvent, { type: T }>;

export class IdentityFixture {
  readonly t: TestContext;
  readonly backend: IdentityBackend<IdentityCredentials>;
  readonly clock: ManualClock = createManualClock();
  readonly #nodes: IdentityNode[] = [];
  readonly #transports: {
    readonly transport: Transport<SuiteProtocol>;
    readonly events: ObserverEvent[];
  }[] = [];
  readonly #endings: (() => void | Promise<void>)[] = [];
  readonly #relays: Relay[] = [];
  /** The layer of all raw connections, which share one source address. */
  #rawLayer: StreamLayer | undefined = undefined;
  /** Incremented by every event on a wire, and by every observer event. */
  #stirs = 0;
  #waits: CaseWaits;

  constructor(t: TestContext, backend: IdentityBackend<IdentityCredentials>, waits: CaseWaits) {
    this.t = t;
    this.backend = backend;
    this.#waits = waits;
  }

  /** Creates a node that does not listen yet. */
  async create(setup: NodeSetup = {}): Promise<IdentityNode> {
    const credentials = setup.credentials ?? (await this.backend.credentials());
    const { hello, admit, ...options } = setup.options ?? {};
    const events: ObserverEvent[] = [];
    const served: IdentityNode['served'] = [];
    const asked: string[] = [];
    const { transport, update } = this.backend.transport(
      credentials,
      {
        ...options,
        protocol: suiteProtocol,
        clock: this.clock,
        observer: { event: (event) => this.#heard(events, event) },
        hello: (target) => {
          asked.push(`hello ${target ?? ''}`);
          return typeof hello === 'function' ? hello(target) : (hello ?? {});
        },
        admit: (remote) => {
          asked.push(`admit ${remote.nodeId}`);
          return admit?.(remote);
        },
      },
      { lists: setup.lists, address: setup.address },
    );
    this.#transports.push({ transport: nameWaits(transport, this.#waits), events });
    serve<SuiteProtocol>(transport, {
      echo: (request, rpc) => {
        served.push({ request: request.slice(), from: rpc.from });
        return request[0] === STUCK ? new Promise<Uint8Array>(() => {}) : request;
      },
      hint: (request, rpc) => void served.push({ request: request.slice(), from: rpc.from }),
      async *feed(request, rpc) {
        served.push({ request: request.slice(), from: rpc.from });
        yield request;
      },
    });
    const node: IdentityNode = {
      nodeId: credentials.nodeId,
      credentials,
      transport,
      get at() {
        return transport.advertiseAddr();
      },
      events,
      served,
      asked,
      update,
    };
    this.#nodes.push(node);
    return node;
  }

  /** Creates a node that listens. */
  async open(setup: NodeSetup = {}): Promise<IdentityNode> {
    const node = await this.create(setup);
    await node.transport.listen();
    return node;
  }

  /** Creates a transport of the backend that proves nothing. */
  async openPlain(): Promise<{
    readonly transport: Transport<SuiteProtocol>;
    readonly events: ObserverEvent[];
    readonly at: string;
  }> {
    const events: ObserverEvent[] = [];
    const observer = { event: (event: ObserverEvent) => this.#heard(events, event) };
    const transport = this.backend.plain.transport({
      protocol: suiteProtocol,
      clock: this.clock,
      observer,
    });
    this.#transports.push({ transport: nameWaits(transport, this.#waits), events });
    serve<SuiteProtocol>(transport, { echo: (request) => request });
    await transport.listen();
    return { transport, events, at: transport.advertiseAddr() };
  }

  /** Opens a wire to a node, at an address of its own. */
  async relay(to: Pick<IdentityNode, 'at'>): Promise<Relay & { readonly at: string }> {
    const { beneath } = this.backend;
    const relay = await Relay.open(beneath.layer(), beneath.layer(), this.under(to.at), {
      stirred: () => this.#stirs++,
    });
    this.#relays.push(relay);
    return Object.assign(relay, { at: this.over(relay.address) });
  }

  /** Opens a raw connection to a node, on the underlying layer. */
  async rawConnection(to: IdentityNode): Promise<RawConnection> {
    if (this.#rawLayer === undefined) {
      const layer = this.backend.beneath.layer();
      this.#rawLayer = layer;
      this.atEnd(() => layer.close());
    }
    const raw = await RawConnection.dial(this.#rawLayer, this.under(to.at), {
      waits: this.backend.beneath.dialsWait === true,
      heard: () => this.#stirs++,
    });
    this.atEnd(() => raw.destroy());
    return raw;
  }

  /**
   * Opens a listener on the underlying layer; `came` receives each connection, and `heard` each of
   * its chunks, then undefined at its end. Returns its address in the form that nodes dial.
   */
  async bareListener(
    came: (raw: RawConnection) => void,
    heard: (raw: RawConnection, chunk: Uint8Array | undefined) => void = () => {},
  ): Promise<string> {
    const layer = this.backend.beneath.layer();
    const all: RawConnection[] = [];
    await layer.listen((connection) => {
      const raw = new RawConnection(connection, (who, chunk) => {
        this.#stirs++;
        heard(who, chunk);
      });
      all.push(raw);
      came(raw);
    });
    this.atEnd(() => layer.close());
    this.atEnd(() => {
      for (const raw of all) raw.destroy();
    });
    return this.over(layer.localAddr());
  }

  /** Dials a node over a secured layer, as a raw peer. The fixture closes `layer`. */
  async rawDial(layer: StreamLayer, to: string): Promise<RawPeer> {
    this.atEnd(() => layer.close());
    const peer = await this.#waits.of('the dial of a raw peer', RawPeer.dial(layer, to));
    this.#waits.add({ waits: () => peer.waits() });
    this.atEnd(() => peer.destroy());
    return peer;
  }

  /** Returns a raw listener over a secured layer. The fixture closes `layer`. */
  async rawListen(layer: StreamLayer): Promise<RawListener> {
    const listener = await RawListener.listen(layer);
    this.#waits.add(listener);
    this.atEnd(() => listener.close());
    return listener;
  }

  under(address: string): string {
    return this.backend.beneath.under?.(address) ?? address;
  }

  over(address: string): string {
    return this.backend.beneath.over?.(address) ?? address;
  }

  /** Registers a callback for the end of the case; the last registered runs first. */
  atEnd(run: () => void | Promise<void>): void {
    this.#endings.push(run);
  }

  /**
   * Waits for a condition without advancing the clock. If nothing happens anymore, throws an error
   * that contains `what`.
   */
  async until(what: string, condition: () => boolean): Promise<void> {
    const waits = this.#waits;
    const end = waits.begin(what);
    while (!condition()) {
      waits.check();
      await systemClock.sleep(1);
    }
    end();
  }

  /** Returns the n-th event of that type (from 0) that a node emitted, past or future. */
  async event<T extends ObserverEvent['type']>(
    of: { readonly events: readonly ObserverEvent[] },
    type: T,
    n = 0,
  ): Promise<EventOf<T>> {
    const all = () => of.events.filter((event): event is EventOf<T> => event.type === type);
    await this.until(`event ${n + 1} '${type}'`, () => all().length > n);
    return all()[n]!;
  }

  /**
   * Waits until nothing has moved for some turns of the event loop, so that everything in flight
   * within this process has arrived.
   */
  async quiet(turns = QUIET): Promise<void> {
    const waits = this.#waits;
    for (let still = 0, seen = this.#stirs; still < turns; still++) {
      waits.check();
      await systemClock.sleep(0);
      if (seen === this.#stirs && !this.#isBusy) continue;
      seen = this.#stirs;
      still = 0;
    }
  }

  get #isBusy(): boolean {
    return this.backend.beneath.isBusy?.() === true;
  }

  /**
   * Advances the clock by `step` milliseconds whenever nothing is in flight, until the promise
   * settles.
   */
  async drive<T>(promise: PromiseLike<T>, step = 500): Promise<T> {
    const state = watch(promise);
    const waits = this.#waits;
    const end = waits.begin('the promise that it drives by its clock');
    for (let still = 0, seen = this.#stirs; !state.settled; still++) {
      waits.check();
      if (seen !== this.#stirs || this.#isBusy) still = 0;
      seen = this.#stirs;
      if (still >= QUIET) {
        this.clock.advance(step);
        still = 0;
      }
      await systemClock.sleep(0);
    }
    end();
    return promise;
  }

  /** Like `until`, but advances the clock whenever nothing moves. */
  async driveUntil(what: string, condition: () => boolean, step = 500): Promise<void> {
    const done = (async () => {
      await this.until(what, condition);
    })();
    await this.drive(done, step);
  }

  /** Closes everything and checks that nothing is left. */
  async finish(): Promise<void> {
    await this.#closeTransports();
    await this.until('every connection through a relay has ended', () =>
      this.#relays.every(({ open }) => open === 0),
    );
    for (const relay of this.#relays) await relay.close();
    const { t } = this;
    for (const { transport, events } of this.#transports) {
      t.deepEqual(transport.remotes(), [], 'a closed transport has no remotes');
      t.deepEqual(transport.snapshot().connections, [], 'a closed transport has no connections');
      const of = (type: ObserverEvent['type']) =>
        events.filter((event) => event.type === type).length;
      t.is(of('down'), of('up'), 'each connection that came up went down, once');
    }
    await this.until('closed transports have no timer left', () => this.clock.timers === 0);
  }

  /** Closes everything after a failure of the case. */
  async abandon(): Promise<void> {
    this.#waits = new CaseWaits(this.backend.stallTimeout);
    await this.#waits.run(() => this.#closeTransports());
    for (const relay of this.#relays) await relay.close();
  }

  async #closeTransports(): Promise<void> {
    for (const end of this.#endings.splice(0).reverse()) await end();
    await this.drive(Promise.all(this.#transports.map(({ transport }) => transport.close())));
  }

  #heard(events: ObserverEvent[], event: ObserverEvent): void {
    this.#stirs++;
    events.push(event);
  }
}

/** Returns the number of events of a type that a node has emitted. */
export function count(
  node: { readonly events: readonly ObserverEvent[] },
  type: ObserverEvent['type'],
): number {
  return node.events.filter((event) => event.type === type).length;
}

/**
 * The number of turns of the event loop without an event after which nothing more is expected to
 * happen by itself. Both ends and the wire are in this process, and the data that one of them
 * writes is read by another in the next turn. If the number were too low, time would advance too
 * early and a handshake could time out. The case would then fail with an unexpected error, but
 * could never pass by luck.
 */
const QUIET = 12;
