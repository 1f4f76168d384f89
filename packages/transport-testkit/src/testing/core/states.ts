// Transports in each state of their life cycle, each with a peer, for the traits.

import type { Server } from '@trunkline/transport-core';
import type { Fixture } from '../../transport/fixture.ts';
import { type KitTransport, kit } from '../../transport/protocols.ts';
import { serveKit } from '../../transport/serving.ts';
import { deferred, utf8 } from '../../transport/values.ts';

/**
 * The states of a transport. 'new': only created; 'opening': within `listen`; 'closing': within
 * `close`, held up by a call in flight.
 */
export const STATES = ['new', 'opening', 'open', 'closing', 'closed'] as const;
export type State = (typeof STATES)[number];

/** States in which calls may be made. */
export const LIVE: readonly State[] = ['new', 'opening', 'open'];
/** States in which calls are refused. */
export const ENDED: readonly State[] = ['closing', 'closed'];

export interface Subject {
  readonly transport: KitTransport;
  /** A peer that is open, serves calls, and is linked both ways. */
  readonly peer: KitTransport;
  readonly at: string;
  /** The address at which it listens or listened; empty if it has not listened yet. */
  readonly address: string;
  /** The server of its calls; `brisk` is not answered before `leave` is called. */
  readonly server: Server;
  /**
   * Ends the operation that the state leaves pending: `listen`, or the call that holds up `close`.
   */
  leave(): Promise<void>;
}

/** Creates a transport in the given state. */
export async function subjectIn(f: Fixture, state: State): Promise<Subject> {
  const peer = await f.open(kit);
  serveKit(peer);
  const transport = f.create(kit);
  const gate = deferred<Uint8Array>();
  const running = deferred();
  const server = serveKit(transport, {
    brisk() {
      running.resolve();
      return gate.promise;
    },
  });
  f.link(transport, peer);
  let address = '';
  let under: Promise<unknown> = Promise.resolve();
  // Closing a transport while it opens rejects `listen`; this is not a failure of the case.
  if (state === 'opening') under = transport.listen().catch(() => undefined);
  if (state === 'open' || state === 'closing' || state === 'closed') {
    await transport.listen();
    address = transport.advertiseAddr();
  }
  if (state === 'closing') {
    const call = peer
      .send(address, 'brisk', utf8(''), { timeout: Infinity })
      .catch(() => undefined);
    await f.event('the handler runs', running.promise);
    under = Promise.all([call, transport.close({ grace: 3_600_000 })]);
  }
  if (state === 'closed') await f.drive(transport.close());
  return {
    transport,
    peer,
    at: peer.advertiseAddr(),
    address,
    server,
    async leave() {
      gate.resolve(utf8('left'));
      await f.drive(under);
    },
  };
}
