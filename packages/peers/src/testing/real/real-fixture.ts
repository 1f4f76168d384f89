// Nodes with peers over real sockets, on a clock that the test advances.

import { inspect } from 'node:util';
import {
  type CommonOptions,
  createTransport,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import {
  createManualClock,
  type ManualClock,
  seededRandom,
} from '@trunkline/transport-core/testing';
import { tcp } from '@trunkline/transport-tcp';
import ava, { type ExecutionContext } from 'ava';
import type { PeersOptions } from '../../options.ts';
import { createPeers, type Peers } from '../../peers.ts';
import type { AddressBookStore } from '../../store/address-book-store.ts';
import type { PeerEvent } from '../../types.ts';
import { echo } from '../cluster.ts';

type Echo = Transport<typeof echo>;
/** The options of a transport, without its backends. */
export type Given = CommonOptions & { readonly protocol: typeof echo };

/** A node of a {@link RealFixture}. */
export interface RealNode {
  readonly name: string;
  readonly transport: Echo;
  readonly peers: Peers<any>;
  readonly nodeId: string;
  /** The address where it is reached. */
  readonly address: string;
  /** Its events, each with the time when it was reported. */
  readonly events: (PeerEvent<any> & { readonly at: number })[];
  /** The targets that it dialed, in order. */
  readonly dials: { readonly target: string; readonly at: number }[];
  /** Closes the node and removes it from the fixture. */
  close(): Promise<void>;
}

export function overTcp(options: Given): Echo {
  return createTransport('tcp://127.0.0.1:0', { ...options, backends: [tcp()] });
}

/** Nodes over real sockets with one clock, which advances only when the test requests it. */
export class RealFixture {
  /**
   * The time of all nodes. It stands still while a node dials or performs a handshake, while a pong
   * is outstanding, and while a file is written.
   */
  readonly clock: ManualClock = createManualClock();
  readonly nodes = new Set<RealNode>();
  /** Transports without peers, which are closed together with the fixture. */
  readonly #guests = new Set<Pick<Echo, 'close'>>();
  /** Addresses that never answer; time does not wait for them. */
  readonly mute = new Set<string>();
  readonly #longest: number;
  #made = 0;
  /** The number of file operations in progress. */
  #files = 0;

  /**
   * @param t the test, after which everything is closed, no matter how the test ended.
   * @param longest the maximum number of milliseconds by which time advances in one step.
   */
  constructor(t: Pick<ExecutionContext, 'teardown'>, longest = 500) {
    this.#longest = longest;
    t.teardown(() => void this.close().catch(() => {}));
  }

  /**
   * Creates a node that listens. Its peers are started, unless `start` is false. `make` creates its
   * transport. It answers calls with its name and the request, unless `answer` does.
   */
  async node(
    name: string,
    {
      transport: given = {} as Partial<Given>,
      peers: options = {} as Partial<PeersOptions<any>>,
      make = overTcp,
      answer = async (said: string) => `${name}: ${said}`,
      start = true,
    } = {},
  ): Promise<RealNode> {
    const { clock } = this;
    const dials: RealNode['dials'] = [];
    const resolve = (target: string) => {
      dials.push({ target, at: clock.now() });
      return typeof given.resolve === 'function' ? given.resolve(target) : target;
    };
    const random = seededRandom(++this.#made);
    const transport = make({ protocol: echo, clock, random, ...given, resolve });
    await transport.listen();
    const { addressBook } = options;
    const peers = createPeers<any>({
      transport,
      ...options,
      ...(addressBook === undefined ? {} : { addressBook: this.#watched(addressBook) }),
    });
    const events: RealNode['events'] = [];
    const node: RealNode = {
      name,
      transport,
      peers,
      nodeId: peers.nodeId,
      address: transport.localAddr(),
      events,
      dials,
      close: () => this.#close(node),
    };
    this.nodes.add(node);
    void (async () => {
      for await (const event of peers.events()) events.push({ ...event, at: clock.now() });
    })();
    void (async () => {
      for await (const rpc of transport.consumer()) {
        if (rpc.method === 'say') void answer(rpc.request).then((said) => rpc.respond(said));
      }
    })();
    if (start) await peers.start();
    return node;
  }

  /** Creates a transport without peers, which is closed together with the fixture. */
  guest(make: (options: Given) => Echo, options: Partial<Given> = {}): Echo {
    const random = seededRandom(1_000 + ++this.#made);
    const transport = make({ protocol: echo, clock: this.clock, random, ...options });
    this.#guests.add(transport);
    return transport;
  }

  /** Advances time until the condition holds, by at most `limit` milliseconds. */
  async until(what: string, condition: () => boolean, limit = 120_000): Promise<void> {
    const end = this.clock.now() + limit;
    while (!condition()) {
      if (this.clock.now() >= end) throw new Error(`not within ${limit} ms: ${what}\n${this}`);
      await this.#step(end);
    }
  }

  /** Advances time until all these nodes are peers of each other. */
  linked(nodes: readonly RealNode[], limit?: number): Promise<void> {
    const areAll = () =>
      nodes.every((one) => nodes.every((other) => one === other || isLinked(one, other)));
    return this.until(`${nodes.map(({ name }) => name).join()} are peers`, areAll, limit);
  }

  /** Advances time until neither of two nodes is a peer of the other. */
  parted(one: RealNode, other: RealNode, limit?: number): Promise<void> {
    const areParted = () => !isLinked(one, other) && !isLinked(other, one);
    return this.until(`${one.name} and ${other.name} are no longer peers`, areParted, limit);
  }

  /** Advances time until a node has emitted this many events of a type. Returns them. */
  async emitted<T extends PeerEvent['type']>(node: RealNode, type: T, count = 1, limit?: number) {
    const events = () => emitted(node, type);
    await this.until(`${node.name} emits '${type}'`, () => events().length >= count, limit);
    return events();
  }

  async run(milliseconds: number): Promise<void> {
    const end = this.clock.now() + milliseconds;
    while (this.clock.now() < end) await this.#step(end);
  }

  /** Advances time until the promise settles. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => void (isOver = true);
    promise.then(over, over);
    await this.until('the promise settles', () => isOver);
    return promise;
  }

  /**
   * Closes everything. Returns descriptions of everything that is left open; the list should be
   * empty.
   */
  async close(): Promise<string[]> {
    const nodes = [...this.nodes];
    await this.settle(
      Promise.all([
        ...nodes.map((node) => node.close()),
        ...[...this.#guests].map((guest) => guest.close({ grace: 0 })),
      ]),
    );
    const left = nodes.flatMap(({ name, transport }) =>
      transport.snapshot().connections.map(({ id }) => `${name}: connection ${id}`),
    );
    return this.clock.timers === 0 ? left : [...left, `${this.clock.timers} timers`];
  }

  toString(): string {
    return [...this.nodes]
      .map(({ name, peers, transport, events }) =>
        [name, peers, inspect(transport.snapshot()), inspect(events.slice(-8))].join('\n'),
      )
      .join('\n\n');
  }

  #watched(store: AddressBookStore): AddressBookStore {
    const count = <T>(work: Promise<T>): Promise<T> => {
      this.#files++;
      return work.finally(() => this.#files--);
    };
    return {
      load: (read) => count(store.load(read)),
      save: (text) => count(store.save(text)),
      close: () => count(store.close()),
    };
  }

  async #close(node: RealNode): Promise<void> {
    this.nodes.delete(node);
    await node.peers.close();
    await node.transport.close();
  }

  /** Advances time to the next due timer, and lets pending work of sockets and files finish. */
  async #step(end: number): Promise<void> {
    const { clock } = this;
    const due = Math.max((clock.nextDue ?? end) - clock.now(), SHORTEST);
    clock.advance(Math.min(due, this.#longest, end - clock.now()));
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    await systemClock.sleep(0);
    const tooLate = systemClock.now() + WATCHDOG;
    for (let what = this.#underWay(); what !== undefined; what = this.#underWay()) {
      if (systemClock.now() > tooLate)
        throw new Error(`not within ${WATCHDOG} real ms, while ${what}\n${this}`);
      await systemClock.sleep(0);
    }
  }

  /**
   * Returns a description of work of sockets and files that must finish before time may advance, or
   * undefined if there is none.
   */
  #underWay(): string | undefined {
    if (this.#files > 0) return 'a file is written';
    for (const { name, transport } of this.nodes) {
      const { dialing, connections } = transport.snapshot();
      const target = dialing.find((each) => !this.#isMute(each));
      if (target !== undefined) return `${name} dials ${target}`;
      const unmuted = <T extends { readonly endpoint: string }>(links: readonly T[]) =>
        links.filter(({ endpoint }) => !this.#isMute(endpoint));
      const opening = unmuted(connections).find(({ state }) => state === 'opening');
      if (opening !== undefined) return `${name}: ${opening.id} says hello`;
      const silent = unmuted(transport.remotes()).find(({ silence }) => (silence ?? 0) >= QUIET);
      if (silent !== undefined) return `${name}: ${silent.id} has not answered a ping`;
    }
    return undefined;
  }

  #isMute(address: string): boolean {
    return this.mute.has(address.replace(/^[0-9a-f]{64}@/, ''));
  }
}

/** Declares a test with a fixture, in which it may leave nothing behind. */
export function test(
  title: string,
  body: (t: ExecutionContext, fixture: RealFixture) => Promise<unknown>,
): void {
  ava(title, async (t) => {
    const fixture = new RealFixture(t);
    await body(t, fixture);
    t.deepEqual(await fixture.close(), []);
  });
}

/** Returns the events of a node that have the given type. */
export function emitted<T extends PeerEvent['type']>(
  { events }: RealNode,
  type: T,
): (Extract<PeerEvent<any>, { readonly type: T }> & { readonly at: number })[] {
  return events.filter((event) => event.type === type) as never;
}

export function isLinked(one: RealNode, other: RealNode): boolean {
  return one.peers.get(other.nodeId) !== undefined;
}

/** Minimum step of time, in milliseconds. */
const SHORTEST = 50;
/** Number of turns of the event loop after each step, for data in transit. */
const TURNS = 5;
/** Milliseconds of silence after which time waits for the pong of a connection. */
const QUIET = 500;
/** Maximum wait in real milliseconds; no test needs a hundredth of it. */
const WATCHDOG = 20_000;
