// The bench of one case: nodes on a clock that is moved by hand, what each of them saw, and nothing left at the end.

import {
  type CommonOptions,
  createManualClock,
  type ManualClock,
  type ObserverEvent,
  type Remote,
  type StreamLayer,
  serve,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import { RawListener, RawPeer } from '../raw/raw-peer.ts';
import { labProtocol } from '../session/lab-protocols.ts';
import type { TestContext } from '../test-runner.ts';
import { watch } from '../transport/values.ts';
import type { Change, IdentityBackend, Lists, Papers } from './backend.ts';
import { Bare } from './bare.ts';
import { Relay } from './relay.ts';

export type Lab = typeof labProtocol;

/** A call whose first byte is this is never answered. */
export const STUCK = 0xff;

/** One node: its transport, and all that it was asked and told. */
export interface Node {
  readonly nodeId: string;
  readonly papers: Papers;
  readonly transport: Transport<Lab>;
  /** Where it listens. */
  readonly at: string;
  readonly events: ObserverEvent[];
  /** Calls that its handlers saw. */
  readonly served: { readonly request: Uint8Array; readonly from: Remote }[];
  /** What it asked its user before a connection was up: 'hello' with the target, 'admit' with the peer. */
  readonly asked: string[];
  update(change: Change<Papers>): Promise<void>;
}

export interface NodeSetup {
  readonly papers?: Papers | undefined;
  readonly lists?: Lists | undefined;
  readonly address?: string | undefined;
  /** Its clock and its observer are the lab's. */
  readonly options?: Omit<CommonOptions, 'clock' | 'observer'> | undefined;
}

export type EventOf<T extends ObserverEvent['type']> = Extract<ObserverEvent, { type: T }>;

export class IdentityLab {
  readonly t: TestContext;
  readonly backend: IdentityBackend<Papers>;
  readonly clock: ManualClock = createManualClock();
  readonly #nodes: Node[] = [];
  readonly #transports: { readonly transport: Transport<Lab>; readonly events: ObserverEvent[] }[] = [];
  readonly #endings: (() => void | Promise<void>)[] = [];
  readonly #relays: Relay[] = [];
  /** All strangers come from one source. */
  #strangers: StreamLayer | undefined = undefined;
  /** Grows with all that happens on a wire, and all that an observer is told. */
  #stirs = 0;

  constructor(t: TestContext, backend: IdentityBackend<Papers>) {
    this.t = t;
    this.backend = backend;
  }

  /** A node that does not listen yet. */
  async create(setup: NodeSetup = {}): Promise<Node> {
    const papers = setup.papers ?? (await this.backend.papers());
    const { hello, admit, ...options } = setup.options ?? {};
    const events: ObserverEvent[] = [];
    const served: Node['served'] = [];
    const asked: string[] = [];
    const { transport, update } = this.backend.transport(
      papers,
      {
        ...options,
        protocol: labProtocol,
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
    this.#transports.push({ transport, events });
    serve<Lab>(transport, {
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
    const node: Node = {
      nodeId: papers.nodeId,
      papers,
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

  /** A node that listens. */
  async open(setup: NodeSetup = {}): Promise<Node> {
    const node = await this.create(setup);
    await node.transport.listen();
    return node;
  }

  /** A transport of the backend's that proves nothing. */
  async openPlain(): Promise<{ readonly transport: Transport<Lab>; readonly events: ObserverEvent[]; readonly at: string }> {
    const events: ObserverEvent[] = [];
    const observer = { event: (event: ObserverEvent) => this.#heard(events, event) };
    const transport = this.backend.plain.transport({ protocol: labProtocol, clock: this.clock, observer });
    this.#transports.push({ transport, events });
    serve<Lab>(transport, { echo: (request) => request });
    await transport.listen();
    return { transport, events, at: transport.advertiseAddr() };
  }

  /** A wire to a node, at an address of its own. */
  async relay(to: Node): Promise<Relay & { readonly at: string }> {
    const { beneath } = this.backend;
    const relay = await Relay.open(beneath.layer(), beneath.layer(), this.under(to.at), { stirred: () => this.#stirs++ });
    this.#relays.push(relay);
    return Object.assign(relay, { at: this.over(relay.address) });
  }

  /** A stranger's connection to a node, beneath. */
  async bare(to: Node): Promise<Bare> {
    if (this.#strangers === undefined) {
      const layer = this.backend.beneath.layer();
      this.#strangers = layer;
      this.atEnd(() => layer.close());
    }
    const bare = await Bare.dial(this.#strangers, this.under(to.at), () => this.#stirs++);
    this.atEnd(() => bare.destroy());
    return bare;
  }

  /** A stranger who listens beneath; `came` is given each connection. Its address is as nodes dial it. */
  async bareListener(came: (bare: Bare) => void, heard: (bare: Bare, chunk: Uint8Array | undefined) => void = () => {}): Promise<string> {
    const layer = this.backend.beneath.layer();
    const all: Bare[] = [];
    await layer.listen((connection) => {
      const bare = new Bare(connection, (who, chunk) => {
        this.#stirs++;
        heard(who, chunk);
      });
      all.push(bare);
      came(bare);
    });
    this.atEnd(() => layer.close());
    this.atEnd(() => {
      for (const bare of all) bare.destroy();
    });
    return this.over(layer.localAddr());
  }

  /** A raw peer, over a secured layer, that dialled a node. */
  async rawDial(layer: StreamLayer, to: string): Promise<RawPeer> {
    this.atEnd(() => layer.close());
    const peer = await RawPeer.dial(layer, to);
    this.atEnd(() => peer.destroy());
    return peer;
  }

  /** A raw listener over a secured layer. */
  async rawListen(layer: StreamLayer): Promise<RawListener> {
    const listener = await RawListener.listen(layer);
    this.atEnd(() => listener.close());
    return listener;
  }

  under(address: string): string {
    return this.backend.beneath.under?.(address) ?? address;
  }

  over(address: string): string {
    return this.backend.beneath.over?.(address) ?? address;
  }

  /** Runs when the case is over, the last first. */
  atEnd(run: () => void | Promise<void>): void {
    this.#endings.push(run);
  }

  /** Waits for what is to come without any time passing; the watchdog names what it waited for. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const end = systemClock.now() + WATCHDOG;
    while (!condition()) {
      if (systemClock.now() > end) throw new Error(`waited ${WATCHDOG / 1_000} s in vain for: ${what}`);
      await systemClock.sleep(1);
    }
  }

  /** The n-th event of that type (from 0) that a node was told, now or later. */
  async event<T extends ObserverEvent['type']>(of: { readonly events: readonly ObserverEvent[] }, type: T, n = 0): Promise<EventOf<T>> {
    const all = () => of.events.filter((event): event is EventOf<T> => event.type === type);
    await this.until(`event ${n + 1} '${type}'`, () => all().length > n);
    return all()[n]!;
  }

  /** Waits until nothing has moved for some turns of the event loop: what is under way within this process has arrived. */
  async quiet(turns = QUIET): Promise<void> {
    for (let still = 0, seen = this.#stirs; still < turns; still++) {
      await systemClock.sleep(0);
      if (seen === this.#stirs) continue;
      seen = this.#stirs;
      still = 0;
    }
  }

  /** Moves time on by `step` milliseconds whenever nothing moves by itself, until the promise settles. */
  async drive<T>(promise: PromiseLike<T>, step = 500): Promise<T> {
    const state = watch(promise);
    const end = systemClock.now() + WATCHDOG;
    for (let still = 0, seen = this.#stirs; !state.settled; still++) {
      if (systemClock.now() > end) throw new Error(`nothing settled in ${WATCHDOG / 1_000} s, though time went on`);
      if (seen !== this.#stirs) still = 0;
      seen = this.#stirs;
      if (still >= QUIET) {
        this.clock.advance(step);
        still = 0;
      }
      await systemClock.sleep(0);
    }
    return promise;
  }

  /** As `until`, while time goes on whenever nothing moves. */
  async driveUntil(what: string, condition: () => boolean, step = 500): Promise<void> {
    const done = (async () => {
      await this.until(what, condition);
    })();
    await this.drive(done, step);
  }

  /** Closes everything and demands that nothing is left. */
  async finish(passed: boolean): Promise<void> {
    for (const end of this.#endings.reverse()) await end();
    await this.drive(Promise.all(this.#transports.map(({ transport }) => transport.close())));
    if (passed) await this.until('every connection through a relay is over', () => this.#relays.every(({ open }) => open === 0));
    for (const relay of this.#relays) await relay.close();
    if (!passed) return;
    const { t } = this;
    for (const { transport, events } of this.#transports) {
      t.deepEqual(transport.remotes(), [], 'a closed transport has no remotes');
      t.deepEqual(transport.snapshot().connections, [], 'a closed transport has no connections');
      const of = (type: ObserverEvent['type']) => events.filter((event) => event.type === type).length;
      t.is(of('down'), of('up'), 'each connection that came up went down, once');
    }
    await this.until('closed transports leave no timer', () => this.clock.timers === 0);
  }

  #heard(events: ObserverEvent[], event: ObserverEvent): void {
    this.#stirs++;
    events.push(event);
  }
}

/** How many events of a type a node was told. */
export function count(node: { readonly events: readonly ObserverEvent[] }, type: ObserverEvent['type']): number {
  return node.events.filter((event) => event.type === type).length;
}

/** Real milliseconds after which a wait is given up; no case needs a hundredth of it. */
const WATCHDOG = 60_000;
/**
 * Turns of the event loop without an event after which nothing more comes by itself: both ends and the wire are in this process, and
 * what one of them wrote the next turn reads. Were it too few, time would pass too early, and a handshake end by its time: an error
 * where the case looks for another, never a case that passes by luck.
 */
const QUIET = 12;
