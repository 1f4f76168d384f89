// The bench on which each rule is tried: one Trunkline transport on a clock that is moved by hand, one raw peer, one connection.

import {
  type Client,
  type CommonOptions,
  createManualClock,
  type ManualClock,
  type MethodName,
  type Protocol,
  type Remote,
  type Rpc,
  type StreamLayer,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import type { RawFrameInput, RawHello } from '../raw/raw-frames.ts';
import { RawListener, RawPeer } from '../raw/raw-peer.ts';
import type { TestContext, TestFunction } from '../test-runner.ts';
import { labProtocol, sideProtocol } from './lab-protocols.ts';
import { type Seen, watch } from './seen.ts';

/** What is under test: a kind of streams, and transports over it. */
export interface SessionBackend {
  /** For titles: 'tcp'. */
  name: string;
  /** Its connections prove who is at their other end (TLS, noise): what a hello claims must be that. */
  proves?: boolean;
  /** Its dials are through only once the acceptor reads them (TLS, noise, an upgrade): while they wait for their turn, they wait. Default: `proves`. */
  dialsWait?: boolean;
  /** Called once a case: a fresh place whose layers and transports reach each other by their `localAddr()`. */
  place(): SessionPlace;
}

export interface SessionPlace {
  /** A stream layer that can dial and listen (at a free address), for raw peers. */
  layer(): StreamLayer;
  /** A Trunkline transport over such streams that can listen (at a free address), with these options. */
  transport<P extends Protocol>(options: CommonOptions & { protocol: P }): Transport<P>;
}

/** Which end the transport is: the acceptor is dialled by the raw peer, the dialler dials it. */
export type Role = 'acceptor' | 'dialler';

export type Lab = typeof labProtocol;

/** Options of the transport under test; its protocol, clock and observer are the lab's. */
export type LabOptions = Omit<CommonOptions, 'clock' | 'observer'>;

export interface LabSetup {
  options?: LabOptions;
  /** What the raw peer's hello says otherwise. */
  hello?: Partial<RawHello>;
  /** Mounts the protocol 'side' before the hello. */
  side?: boolean;
  /** Sent in the same chunk as READY, where the raw peer dials. */
  behindReady?: RawFrameInput[];
}

/** A place with one listening transport, not yet connected to anything. */
export interface Bench {
  transport: Transport<Lab>;
  clock: ManualClock;
  seen: Seen;
  place: SessionPlace;
  /** The next call that came in, which must be of that method. */
  call<N extends MethodName<Lab>>(method: N): Promise<Rpc<Lab, N>>;
  /** A raw peer that dialled the transport; it has sent nothing. */
  dialIn(): Promise<RawPeer>;
  /** A raw listener, for the transport to dial. */
  listen(): Promise<RawListener>;
  /** Moves time on step by step (100 ms where not said), letting bytes travel in between, until `done` settles. */
  until<T>(done: PromiseLike<T>, step?: number): Promise<T>;
}

/** One connection that is up, with all there is to look at. */
export interface Session extends Bench {
  role: Role;
  /** The transport's handle of the connection; what it sends to goes to the raw peer. */
  remote: Remote;
  client: Client<Lab>;
  peer: RawPeer;
  /** What the transport's HELLO said. */
  hello: RawHello;
  /** The n-th id (from 0) that the raw peer may open with. */
  id(n: number): number;
  /** The protocol 'side', where it was mounted. */
  side: Transport<typeof sideProtocol>;
}

/** A listening transport under test, taken down after the case. */
export async function bench(t: TestContext, backend: SessionBackend, options: LabOptions = {}): Promise<Bench> {
  t.timeout(WATCHDOG, 'the case waits for an event that does not come');
  const place = backend.place();
  // The peer's bytes come by the real event loop, so its turns are the real ones too.
  const clock = Object.assign(createManualClock(), { turn: systemClock.turn });
  const { seen, observer } = watch();
  const transport = place.transport({ ...options, protocol: labProtocol, clock, observer });
  const layers: StreamLayer[] = [];
  const peers: RawPeer[] = [];
  const listeners: RawListener[] = [];
  t.teardown(async () => {
    for (const peer of peers) peer.destroy();
    for (const listener of listeners) await listener.close();
    for (const layer of layers) await layer.close();
    await pump(clock, transport.close(), 500);
  });
  await transport.listen();
  let calls: AsyncIterator<Rpc<Lab>> | undefined;
  return {
    transport,
    clock,
    seen,
    place,
    async call<N extends MethodName<Lab>>(method: N) {
      calls ??= transport.consumer();
      const { value, done } = await calls.next();
      if (done === true) throw new Error(`the consumer ended where a call of ${method} was awaited`);
      if (value.method !== method) throw new Error(`a call of ${value.method} came where one of ${method} was awaited`);
      return value as unknown as Rpc<Lab, N>;
    },
    async dialIn() {
      const layer = place.layer();
      layers.push(layer);
      const peer = await RawPeer.dial(layer, transport.localAddr());
      peers.push(peer);
      return peer;
    },
    async listen() {
      const listener = await RawListener.listen(place.layer());
      listeners.push(listener);
      return listener;
    },
    until: (done, step) => pump(clock, done, step),
  };
}

/** A transport and a raw peer over one connection that is up. */
export async function session(t: TestContext, backend: SessionBackend, role: Role, setup: LabSetup = {}): Promise<Session> {
  const on = await bench(t, backend, setup.options);
  const side = setup.side === true ? on.transport.mount(sideProtocol) : (undefined as never);
  const parts = role === 'acceptor' ? await dialledIn(on, setup) : await dialledOut(on, setup);
  // The first PING is out of the way, so that its PONG falls into no frame that a case sends in pieces.
  await parts.peer.next('PING');
  await parts.peer.barrier();
  return { ...on, ...parts, role, side, client: on.transport.to(parts.remote), id: (n) => 2 * n + (role === 'acceptor' ? 1 : 2) };
}

/** A case for each end that the transport can be. */
export function eachRole(test: TestFunction, title: string, run: (t: TestContext, role: Role) => Promise<void>): void {
  test(`${title} (as acceptor)`, (t) => run(t, 'acceptor'));
  test(`${title} (as dialler)`, (t) => run(t, 'dialler'));
}

/** Lets what is under way arrive: a turn of the event loop. Only where no event can tell, and never to be right. */
export function turn(): Promise<void> {
  return systemClock.sleep(0);
}

async function dialledIn(on: Bench, setup: LabSetup) {
  const peer = await on.dialIn();
  const hello = await peer.handshake(setup.hello, setup.behindReady);
  const { remote } = await on.seen.first('up');
  return { peer, hello, remote };
}

async function dialledOut(on: Bench, setup: LabSetup) {
  const listener = await on.listen();
  const dialled = on.transport.dial(listener.address);
  dialled.catch(() => {});
  const peer = await listener.next();
  const hello = await peer.handshake(setup.hello);
  return { peer, hello, remote: await dialled };
}

async function pump<T>(clock: ManualClock, done: PromiseLike<T>, step = 100): Promise<T> {
  let settled = false;
  const finish = () => {
    settled = true;
  };
  done.then(finish, finish);
  for (let turns = 0; turns < 4; turns++) await turn();
  while (!settled) {
    clock.advance(step);
    await turn();
  }
  return done;
}

/** Real milliseconds, far above what a case needs on a busy machine. */
const WATCHDOG = 60_000;
