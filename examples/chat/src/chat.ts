// A participant of a room: a node with one topic.

import { createFileAddressBook } from '@trunkline/peers/node';
import { loadOrCreateIdentity } from '@trunkline/security/node';
import { defineProtocol, json } from 'trunkline';
import { fullMesh, partialView, type ReceivedMessage } from 'trunkline/gossip';
import { createNode } from 'trunkline/mesh';
import type { PeerEvent, Peers } from 'trunkline/peers';
import { createIdentity } from 'trunkline/security';
import { z } from 'zod';
import type { ChatOptions } from './options.ts';

/** A protocol without calls; it only keeps other programs out. */
const protocol = defineProtocol({ name: 'chat', methods: {} });
const Line = z.object({ name: z.string().max(40), text: z.string().max(4_000) });
type Line = z.infer<typeof Line>;
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
  { name, listen, join, room, overlay, transport, key }: ChatOptions,
  screen: Screen,
): Promise<Chat> {
  const identity = key === undefined ? createIdentity() : await loadOrCreateIdentity(key);
  // In a mesh, all nodes are peers of each other; in a tree a few peers are enough.
  const most = overlay === 'mesh' ? 100 : 10;
  const node = await createNode({
    address: withScheme(transport, listen),
    name,
    identity,
    protocol,
    peers: {
      persistent: join.map((address) => withScheme(transport, address)),
      addressBook: key === undefined ? undefined : createFileAddressBook(`${key}.peers`),
      status: json(Presence),
      reconnect: { maxBackoff: 5_000 },
      maxInbound: most,
      maxOutbound: most,
    },
    gossip: {
      overlay: overlay === 'mesh' ? fullMesh() : partialView(),
      topics: { [room]: json(Line) },
    },
    parts: [{ name: 'announcements', start: ({ peers }) => announce(peers, name, room, screen) }],
  });
  const topic = node.topics[room]!;
  void show(topic, screen);
  return {
    nodeId: node.nodeId,
    address: node.transport.localAddr(),
    async say(text) {
      const { queued } = await topic.publish({ name, text });
      if (queued === 0) screen.note('nobody else is in the room');
    },
    who: () =>
      node.peers
        .list()
        .flatMap(({ nodeId, status }) => (status?.room === room ? [called(nodeId, status)] : [])),
    close: () => node.close(),
  };
}

/** Shows what others say until the node closes. */
async function show(lines: AsyncIterable<ReceivedMessage<Line>>, screen: Screen): Promise<void> {
  for await (const { message, meta } of lines) {
    if (meta.missed > 0) screen.note(`${meta.missed} lines were missed`);
    screen.line(message.name, message.text);
  }
}

/** Publishes the presence of this participant, and shows that of others until the peers close. */
function announce(peers: Peers<Presence>, name: string, room: string, screen: Screen): void {
  peers.status.set({ name, room });
  void follow(peers.events(), room, screen);
}

/** Shows participants that come and go, and failed dials. */
async function follow(
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

/** Adds the scheme to 'host:port', after a node id if there is one. */
function withScheme(scheme: string, address: string): string {
  return address.includes('://')
    ? address
    : address.replace(/^([^@]*@)?/, (id) => `${id}${scheme}://`);
}
