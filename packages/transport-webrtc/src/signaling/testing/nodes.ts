// A hub in memory and nodes that use it, for tests.

import { createIdentity } from '@trunkline/security';
import {
  type Backend,
  type Clock,
  createTransport,
  type TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import type { ExecutionContext } from 'ava';
import type { SignalSession } from '../../signal.ts';
import { createSignalHub, type SignalHub } from '../hub.ts';
import type { SignalHubOptions } from '../hub-options.ts';
import { createHubSignal, type HubSignal, type HubSignalOptions } from '../hub-signal.ts';
import { signalingProtocol } from '../protocol.ts';

/** A hub and the network that its nodes share. */
export interface HubFixture {
  readonly hub: SignalHub;
  readonly address: string;
  readonly backends: readonly Backend[];
  node(options?: Partial<HubSignalOptions>): HubSignal;
  /** Stops the hub as a crash would; `start` starts it again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Returns the address of a test's hub. */
export function hubAddress(t: ExecutionContext): string {
  return `inmem://hub-${encodeURIComponent(t.title).slice(0, 200)}`;
}

/** Starts a hub; everything is closed at the end of the test. */
export async function hubFixture(
  t: ExecutionContext,
  options: Omit<SignalHubOptions, 'transport'> = {},
  clock?: Clock,
): Promise<HubFixture> {
  const address = hubAddress(t);
  const backends = [inmem()];
  let hub: SignalHub;
  let transport: { close(): Promise<void> };
  const start = async () => {
    const created = createTransport(address, { protocol: signalingProtocol, backends, clock });
    transport = created;
    hub = createSignalHub({ ...options, transport: created });
    await created.listen();
  };
  const stop = async () => {
    await hub.close();
    await transport.close();
  };
  await start();
  t.teardown(stop);
  return {
    get hub() {
      return hub;
    },
    address,
    backends,
    start,
    stop,
    node(given = {}) {
      const signal = createHubSignal({ address, backends, identity: createIdentity(), ...given });
      t.teardown(() => signal.close());
      return signal;
    },
  };
}

/** The messages that one end of a session has received. */
export interface RecordedSession {
  readonly session: SignalSession;
  /** Resolves with the next message. */
  next(): Promise<unknown>;
  /** Resolves with the error (or undefined) when the other side has ended the session. */
  readonly closed: Promise<TransportError | undefined>;
}

/** Attaches to a session and records its messages. */
export function recorded(session: SignalSession): RecordedSession {
  const { add, next } = queue<unknown>();
  const closed = new Promise<TransportError | undefined>((resolve) =>
    session.attach({ message: add, closed: resolve }),
  );
  return { session, closed, next };
}

/** Listens at a node, and returns a function that waits for the next session. */
export async function listening(node: HubSignal): Promise<() => Promise<RecordedSession>> {
  const { add, next } = queue<RecordedSession>();
  await node.listen((session) => add(recorded(session)));
  return next;
}

/** Opens a session between two new nodes of a hub. */
export async function openSession({ node }: Pick<HubFixture, 'node'>) {
  const [ada, bob] = [node(), node()];
  const next = await listening(bob);
  const dialed = recorded(await ada.open(bob.nodeId, { timeout: 5_000 }));
  return { ada, bob, next, dialed, accepted: await next() };
}

/** Returns a function that adds an entry, and one that waits for the next. */
function queue<T>() {
  const entries: T[] = [];
  let wake = () => {};
  const add = (entry: T) => {
    entries.push(entry);
    wake();
  };
  const next = async (): Promise<T> => {
    while (entries.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return entries.shift()!;
  };
  return { add, next };
}
