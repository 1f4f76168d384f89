// A participant of a room: a transport, its peers, and a topic above them.

import { createGossip, fullMesh, partialView } from '@trunkline/gossip';
import { createPeers, type PeerEvent } from '@trunkline/peers';
import { createFileAddressBook } from '@trunkline/peers/node';
import { createIdentity } from '@trunkline/security';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { createTransport, defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';
import { CARRIERS, withScheme } from './carriers.ts';
import type { ChatOptions } from './options.ts';

/** A protocol without calls; it only keeps other programs out. */
const protocol = defineProtocol({ name: 'chat', methods: {} });
const Line = z.object({ name: z.string().max(40), text: z.string().max(4_000) });
/** Failed dials are shown once each; after this many, they may be shown again. */
const MOST_TOLD = 1_000;
/** The status that each node shares with its peers. */
const Presence = z.object({ name: z.string().max(40), room: z.string().max(40) });
type Presence = z.infer<typeof Presence>;

/** The output of the room. */
export interface Screen {
  /** Shows a line that a participant said. */
  line(name: string, text: string): void;
  /** Shows an event. */
  note(text: string): void;
}

export interface Chat {
  readonly nodeId: string;
  readonly address: string;
  /** Sends a line to everybody else. Rejects if it cannot be sent. */
  say(text: string): Promise<void>;
  /** Returns the other connected participants of the room. */
  who(): string[];
  close(): Promise<void>;
}

/** Enters a room. Rejects if it cannot listen or cannot read its key. */
export async function enter(
  { name, listen, join, room, overlay, transport: carrierName, key }: ChatOptions,
  screen: Screen,
): Promise<Chat> {
  const carrier = CARRIERS[carrierName]!;
  const identity = key === undefined ? createIdentity() : await loadOrCreateIdentity(key);
  const transport = createTransport(withScheme(carrier, listen), {
    protocol,
    backends: [carrier.backend(identity)],
  });
  // In a mesh, all nodes are peers of each other; in a tree a few peers are enough.
  const most = overlay === 'mesh' ? 100 : 10;
  const peers = createPeers({
    transport,
    identity,
    persistent: join.map((address) => withScheme(carrier, address)),
    ...(key === undefined ? {} : { addressBook: createFileAddressBook(`${key}.peers`) }),
    status: json(Presence),
    reconnect: { max: 5_000 },
    maxInbound: most,
    maxOutbound: most,
  });
  const gossip = createGossip({
    transport,
    peers,
    overlay: overlay === 'mesh' ? fullMesh() : partialView(),
  });
  const close = async () => {
    await gossip.close();
    await peers.close();
    await transport.close();
  };
  try {
    const topic = gossip.topic(room, json(Line));
    topic.subscribe((message, { missed }) => {
      if (missed > 0) screen.note(`${missed} lines were missed`);
      screen.line(message.name, message.text);
    });
    void announce(peers.events(), room, screen);
    peers.status.set({ name, room });
    await transport.listen();
    await gossip.start();
    await peers.start();
    return {
      nodeId: identity.nodeId,
      address: transport.localAddr(),
      async say(text) {
        const { queued } = await topic.publish({ name, text });
        if (queued === 0) screen.note('nobody else is in the room');
      },
      who: () =>
        peers
          .list()
          .flatMap(({ nodeId, status }) => (status?.room === room ? [called(nodeId, status)] : [])),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Shows participants that come and go, and failed dials. */
async function announce(
  events: AsyncIterable<PeerEvent<Presence>>,
  room: string,
  screen: Screen,
): Promise<void> {
  const here = new Map<string, string>();
  const told = new Set<string>();
  const came = (nodeId: string, status: Presence | undefined) => {
    if (status?.room !== room || here.has(nodeId)) return;
    here.set(nodeId, called(nodeId, status));
    screen.note(`${here.get(nodeId)} is here`);
  };
  const went = (nodeId: string) => {
    const who = here.get(nodeId);
    if (here.delete(nodeId)) screen.note(`${who} has left`);
  };
  for await (const event of events) {
    if (event.type === 'up') came(event.peer.nodeId, event.peer.status);
    else if (event.type === 'status') came(event.nodeId, event.status);
    else if (event.type === 'down') went(event.nodeId);
    else if (event.type === 'warning') screen.note(event.error.message);
    else if (
      event.type === 'rejected' &&
      event.direction === 'out' &&
      event.reason !== 'duplicate' &&
      event.reason !== 'self'
    ) {
      const text = `${event.addr}: ${event.error.message}`;
      if (!told.has(text)) screen.note(text);
      if (told.size >= MOST_TOLD) told.clear();
      told.add(text);
    }
  }
}

/** Adds the start of the node id, because two participants may have the same name. */
function called(nodeId: string, { name }: Presence): string {
  return `${name} (${nodeId.slice(0, 8)})`;
}
