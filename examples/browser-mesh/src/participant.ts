// A node of the mesh, the same in a page and in a process: a transport, its peers, and a topic
// above them.

import { createGossip, type Gossip, partialView, type Topic } from '@trunkline/gossip';
import { createPeers, type PeerInfo, type Peers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import {
  type Backend,
  createTransport,
  json,
  type Remote,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal, type HubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { Board } from './board.ts';
import { type Ends, type MeshChange, MeshPicture } from './picture.ts';
import {
  HUB_PATH,
  type Kind,
  MESH_PATH,
  type MeshProtocol,
  Message,
  MOST_LINKS,
  meshProtocol,
  type Path,
  type Point,
  type Report,
  type Stroke,
} from './protocol.ts';

/** Milliseconds between two reports. */
const INTERVAL = 1_000;
/** The time for which a link stays cut, in milliseconds. */
const CUT_TIME = 3_000;
const EMPTY = new Uint8Array(0);

export interface ParticipantOptions {
  readonly kind: Kind;
  /** The address of the site, such as `ws://127.0.0.1:8080`. */
  readonly site: string;
  /** The backend with which the first node accepts WebSockets; the others dial that node. */
  readonly server?: Backend | undefined;
  /** Called when the mesh has changed. */
  changed?(change: MeshChange): void;
}

export class Participant {
  readonly nodeId: string;
  readonly picture: MeshPicture;
  readonly board = new Board();
  readonly #kind: Kind;
  readonly #signal: HubSignal;
  readonly #transport: Transport<MeshProtocol>;
  readonly #peers: Peers;
  readonly #gossip: Gossip;
  readonly #topic: Topic<Message>;
  /** Nodes to which this node has cut its link, until the link is back. */
  readonly #cuts = new Set<string>();
  readonly #closing = new AbortController();
  #reports = 0;
  #strokes = 0;

  constructor({ kind, site, server, changed }: ParticipantOptions) {
    const identity = createIdentity();
    const address = `${site}${HUB_PATH}`;
    const first = `${site}${MESH_PATH}`;
    this.nodeId = identity.nodeId;
    this.#kind = kind;
    this.picture = new MeshPicture((change) => changed?.(change));
    this.#signal = createHubSignal({ address, backends: [ws()], identity, relay: true });
    this.#transport = createTransport(server === undefined ? 'webrtc://0' : first, {
      protocol: meshProtocol,
      // The first node needs WebRTC, too: peers pass on no address that they can't dial themselves.
      backends: [secured(server ?? ws(), { identity }), webrtc({ signal: this.#signal, identity })],
      advertiseAddr: server === undefined ? undefined : first,
      // A node whose computer sleeps is missed after 5 s, and links are measured every 2.5 s.
      keepAlive: { interval: 2_500, timeout: 2_500 },
      // A direct WebRTC connection is tried for 0.6 of this, then the relay.
      dialTimeout: 8_000,
    });
    this.#peers = createPeers({
      transport: this.#transport,
      identity,
      persistent: server === undefined ? [first] : [],
      maxOutbound: 16,
      reconnect: { initialBackoff: 2_000, maxBackoff: 5_000 },
      exchange: { interval: 12_000 },
    });
    this.#gossip = createGossip({
      transport: this.#transport,
      peers: this.#peers,
      overlay: partialView({ neighborTimeout: 3_000, denyWindow: 1_000 }),
    });
    this.#topic = this.#gossip.topic('mesh', json(Message));
    this.#topic.subscribe((message, { origin }) => this.#received(message, origin));
    const { board } = this;
    serve(this.#transport, {
      cut: (nodeId) => this.#cutOwn(nodeId),
      async *board() {
        yield* board.batches();
      },
    });
  }

  async start(): Promise<void> {
    await this.#transport.listen();
    await this.#gossip.start();
    await this.#peers.start();
    void this.#followPeers();
    void this.#reportRegularly();
  }

  now(): number {
    return this.#transport.clock.now();
  }

  /** Draws a line of at most 64 points, here and at all other nodes. */
  draw(points: Point[]): void {
    const number = this.#strokes++;
    const stroke: Stroke = { type: 'stroke', by: this.nodeId, number, points };
    this.board.add(stroke);
    this.#publish(stroke);
  }

  /** Cuts a link, also one between two other nodes. Resolves to whether one of them did so. */
  async cut([one, other]: Ends): Promise<boolean> {
    if (one === this.nodeId) return this.#cutOwn(other);
    if (other === this.nodeId) return this.#cutOwn(one);
    try {
      return await this.#transport.send(`node:${one}`, 'cut', other);
    } catch {
      return this.#transport.send(`node:${other}`, 'cut', one);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#publish({ type: 'leave' });
    await this.#gossip.close({ grace: 500 });
    await this.#peers.close();
    await this.#transport.close();
    await this.#signal.close();
  }

  /** Refuses a node for some seconds, and then connects to it again. */
  #cutOwn(nodeId: string): boolean {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return false;
    this.#peers.ban(nodeId, CUT_TIME, 'the link was cut');
    if (this.#cuts.size < MOST_LINKS) this.#cuts.add(nodeId);
    this.#report();
    if (peer.addr !== undefined) void this.#reconnect(nodeId, peer.addr);
    return true;
  }

  async #reconnect(nodeId: string, address: string): Promise<void> {
    const { signal } = this.#closing;
    try {
      await this.#transport.clock.sleep(CUT_TIME, signal);
      this.#peers.unban(nodeId);
      await this.#transport.dial(`${nodeId}@${address}`, { signal });
    } catch {
      // The node has gone, or it is found again as any other node is.
    }
  }

  #received(message: Message, origin: string): void {
    if (message.type === 'stroke') this.board.add(message);
    else if (message.type === 'report') this.picture.report(origin, message, this.now());
    else this.picture.remove(origin);
  }

  /** Ignores failures: the next report, or the next copy of the board, makes up for them. */
  #publish(message: Message): void {
    this.#topic.publish(message).catch(() => {});
  }

  async #followPeers(): Promise<void> {
    for await (const event of this.#peers.events()) {
      if (event.type === 'up') {
        this.#cuts.delete(event.peer.nodeId);
        void this.#copyBoard(event.peer);
      } else if (event.type !== 'down') continue;
      this.#report();
    }
  }

  async #reportRegularly(): Promise<void> {
    const { clock } = this.#transport;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#report();
      this.picture.expire(this.now());
      await clock.sleep(INTERVAL, signal).catch(() => {});
    }
  }

  #report(): void {
    if (this.#closing.signal.aborted) return;
    const neighbors = new Set(this.#topic.neighbors);
    const peers = this.#peers.list().filter(({ nodeId }) => !this.#cuts.has(nodeId));
    const links = peers.slice(0, MOST_LINKS).map(({ nodeId, remote, rtt }) => {
      return { nodeId, path: pathOf(remote), rtt, isNeighbor: neighbors.has(nodeId) };
    });
    const report: Report = {
      type: 'report',
      number: this.#reports++,
      kind: this.#kind,
      strokes: this.board.size,
      links,
      cuts: [...this.#cuts],
    };
    this.picture.report(this.nodeId, report, this.now());
    this.#publish(report);
  }

  /** Adds the strokes of another node, which both may have missed of each other while apart. */
  async #copyBoard({ remote }: PeerInfo): Promise<void> {
    try {
      for await (const strokes of this.#transport.send(remote, 'board', EMPTY))
        for (const stroke of strokes) this.board.add(stroke);
    } catch {
      // The connection is lost; the board is copied when the node is back.
    }
  }
}

function pathOf({ endpoint }: Remote): Path {
  if (endpoint.startsWith('relay:')) return 'relay';
  return endpoint.startsWith('webrtc:') ? 'webrtc' : 'ws';
}
