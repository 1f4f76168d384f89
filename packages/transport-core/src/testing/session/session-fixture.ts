// The environment of each session case: one Trunkline transport on a manual clock, one raw peer,
// one connection.

import {
  type Client,
  type CommonOptions,
  type Protocol,
  type Remote,
  type Rpc,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import type { MethodName, StreamLayer } from '@trunkline/transport-core/backend';
import { createManualClock, type ManualClock } from '@trunkline/transport-core/testing';
import type { TestContext } from '@trunkline/transport-testkit';
import {
  CaseWaits,
  nameWaits,
  type RawFrameInput,
  type RawHello,
  RawListener,
  RawPeer,
  type SuiteProtocol,
  settle,
  sideProtocol,
  suiteProtocol,
} from '@trunkline/transport-testkit/internal';
import { titleOf, waitsOf } from './case-waits.ts';
import { type ObserverLog, recordObserver } from './observer-log.ts';

/** A kind of stream, and transports over it. */
export interface SessionBackend {
  /** Prefix of titles: 'tcp'. */
  name: string;
  /**
   * Called once per case, with its title. Returns a new place whose layers and transports reach
   * each other by their `localAddr()`.
   */
  place(title: string): SessionPlace;
}

/** Creates the two kinds of ends that a case of the session suite connects. */
export interface SessionPlace {
  /** Creates a stream layer that can dial and listen (at a free address), for raw peers. */
  layer(): StreamLayer;
  /**
   * Creates a Trunkline transport over such streams that can listen (at a free address), with these
   * options.
   */
  transport<P extends Protocol>(options: CommonOptions & { protocol: P }): Transport<P>;
  /**
   * Returns true while connections of this place are made or carry bytes outside the event loop;
   * the suite's clock stands still during that time.
   */
  isBusy?(): boolean;
}

/** The role of the transport: the raw peer dials an acceptor, and a dialer dials the raw peer. */
export type Role = 'acceptor' | 'dialer';

/** Options of the transport under test. The fixture sets its protocol, clock and observer. */
export type FixtureOptions = Omit<CommonOptions, 'clock' | 'observer'>;

export interface SessionSetup {
  options?: FixtureOptions;
  /** Changes to the raw peer's hello. */
  hello?: Partial<RawHello>;
  /** Mounts the protocol 'side' before the hello. */
  side?: boolean;
  /** Frames that are sent in the same chunk as READY, if the raw peer dials. */
  behindReady?: RawFrameInput[];
}

/** A place with one listening transport that is not connected yet. */
export interface TransportFixture {
  transport: Transport<SuiteProtocol>;
  clock: ManualClock;
  seen: ObserverLog;
  place: SessionPlace;
  /** Resolves with the next incoming call, which must be of that method. */
  call<N extends MethodName<SuiteProtocol>>(method: N): Promise<Rpc<SuiteProtocol, N>>;
  /** Returns a raw peer that has dialed the transport and sent nothing yet. */
  dialIn(): Promise<RawPeer>;
  /** Returns a raw listener, for the transport to dial. */
  listen(): Promise<RawListener>;
  /**
   * Advances the clock in steps (default 100 ms), during which bytes can travel, until `done`
   * settles.
   */
  until<T>(done: PromiseLike<T>, step?: number): Promise<T>;
}

/** One connection that is up, and everything that a case needs to inspect it. */
export interface SessionFixture extends TransportFixture {
  role: Role;
  /** The transport's handle for the connection; calls to it go to the raw peer. */
  remote: Remote;
  client: Client<SuiteProtocol>;
  peer: RawPeer;
  /** The transport's HELLO. */
  hello: RawHello;
  /** Returns the n-th id (from 0) with which the raw peer may open a call. */
  id(n: number): number;
  /** The protocol 'side', if it was mounted. */
  side: Transport<typeof sideProtocol>;
}

/** Starts a listening transport under test; it is closed after the case. */
export async function openTransport(
  t: TestContext,
  backend: SessionBackend,
  options: FixtureOptions = {},
): Promise<TransportFixture> {
  t.timeout(WATCHDOG, 'the case waits for an event that did not happen');
  const waits = waitsOf(t);
  const place = backend.place(titleOf(t));
  // The peer's bytes arrive through the real event loop, so turns are real, too.
  const clock = Object.assign(createManualClock(), { turn: systemClock.turn });
  const { seen, observer } = recordObserver();
  const transport = nameWaits(
    place.transport({ ...options, protocol: suiteProtocol, clock, observer }),
    waits,
  );
  waits.add(seen);
  const isBusy = () => place.isBusy?.() === true;
  const layers: StreamLayer[] = [];
  const peers: RawPeer[] = [];
  const listeners: RawListener[] = [];
  t.teardown(async () => {
    for (const peer of peers) peer.destroy();
    for (const listener of listeners) await listener.close();
    for (const layer of layers) await layer.close();
    const closing = new CaseWaits();
    const closed = closing.of('close()', transport.close());
    await closing.run(() => pump(clock, isBusy, closed, closing, 500));
  });
  await transport.listen();
  let calls: AsyncIterator<Rpc<SuiteProtocol>> | undefined;
  return {
    transport,
    clock,
    seen,
    place,
    async call<N extends MethodName<SuiteProtocol>>(method: N) {
      calls ??= transport.consumer();
      const { value, done } = await waits.of(`a call of '${method}'`, calls.next());
      if (done === true) throw new Error(`the consumer ended before a call of ${method} arrived`);
      if (value.method !== method)
        throw new Error(`expected a call of ${method}, got one of ${value.method}`);
      return value as unknown as Rpc<SuiteProtocol, N>;
    },
    async dialIn() {
      const layer = place.layer();
      layers.push(layer);
      const dialed = RawPeer.dial(layer, transport.localAddr());
      const peer = await waits.of('the dial of the raw peer', dialed);
      peers.push(peer);
      waits.add({ waits: () => peer.waits() });
      await settle(isBusy, 0);
      return peer;
    },
    async listen() {
      const listener = await RawListener.listen(place.layer());
      listeners.push(listener);
      waits.add(listener);
      return listener;
    },
    until(done, step) {
      const end = waits.begin('the promise that it drives by its clock');
      return pump(clock, isBusy, done, waits, step).finally(end);
    },
  };
}

/** Connects a transport and a raw peer; resolves once the connection is up. */
export async function session(
  t: TestContext,
  backend: SessionBackend,
  role: Role,
  setup: SessionSetup = {},
): Promise<SessionFixture> {
  const on = await openTransport(t, backend, setup.options);
  const side = setup.side === true ? on.transport.mount(sideProtocol) : (undefined as never);
  const { peer, dialed } = await met(on, role);
  const hello = await peer.handshake(setup.hello, setup.behindReady);
  const remote = role === 'acceptor' ? (await on.seen.first('up')).remote : await dialed;
  // Waits for the first PING, so that its PONG is not sent in the middle of a frame that a case
  // sends in pieces.
  await peer.next('PING');
  await peer.barrier();
  return {
    ...on,
    peer,
    hello,
    remote,
    role,
    side,
    client: on.transport.to(remote),
    id: (n) => 2 * n + (role === 'acceptor' ? 1 : 2),
  };
}

/** Makes a call of the transport to a raw peer, whose next frame is the transport's HELLO. */
export async function sends(on: TransportFixture, request = Uint8Array.of(1)) {
  const listener = await on.listen();
  const sent = on.transport.send(listener.address, 'echo', request);
  return { listener, sent, peer: await listener.next() };
}

/**
 * Returns a raw peer that has dialed the transport, or that the transport has dialed. In the second
 * case, `dialed` is the transport's dial.
 */
export async function met(
  on: TransportFixture,
  role: Role,
): Promise<{ peer: RawPeer; dialed: Promise<Remote> }> {
  if (role === 'acceptor') return { peer: await on.dialIn(), dialed: new Promise(() => {}) };
  const listener = await on.listen();
  const dialed = on.transport.dial(listener.address);
  dialed.catch(() => {});
  return { peer: await listener.next(), dialed };
}

/**
 * Waits one turn of the event loop, so that bytes in flight arrive. Use it only if no event reports
 * their arrival, and never for correctness.
 */
export function turn(): Promise<void> {
  return systemClock.sleep(0);
}

async function pump<T>(
  clock: ManualClock,
  isBusy: () => boolean,
  done: PromiseLike<T>,
  waits: CaseWaits,
  step = 100,
): Promise<T> {
  let settled = false;
  const finish = () => {
    settled = true;
  };
  done.then(finish, finish);
  const isMoving = () => {
    waits.check();
    return isBusy();
  };
  await settle(isMoving, 4);
  while (!settled) {
    clock.advance(step);
    await settle(isMoving, 1);
  }
  return done;
}

/**
 * The time limit for a case, in milliseconds of real time: far more than a case needs, even on a
 * busy machine.
 */
const WATCHDOG = 120_000;
