// A node of the mesh, the same in a page and in a process: it draws on the board, reports its
// links, and cuts them.

import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal, type HubSignal } from '@trunkline/transport-webrtc/signaling';
import { type Backend, json, type Remote, systemClock, ws } from 'trunkline';
import { partialView } from 'trunkline/gossip';
import { createNode, type MeshNode } from 'trunkline/mesh';
import { createIdentity, secured } from 'trunkline/security';
import { Board } from './board.ts';
import { type Ends, type MeshChange, MeshPicture } from './picture.ts';
import {
  HUB_PATH,
  MESH_PATH,
  type MeshProtocol,
  Message,
  MOST_LINKS,
  meshProtocol,
  type Point,
  type Report,
  type Stroke,
} from './protocol.ts';

/** Milliseconds between two reports. */
const INTERVAL = 1_000;
/** The time for which a link stays cut, in milliseconds. */
const CUT_TIME = 3_000;

export interface ParticipantOptions {
  readonly kind: Report['kind'];
  /** The address of the site, such as `ws://127.0.0.1:8080`. */
  readonly site: string;
  /** The backend with which the first node accepts WebSockets; the others dial that node. */
  readonly server?: Backend | undefined;
  /** Called when the mesh has changed. */
  changed?(change: MeshChange): void;
}

export class Participant {
  readonly picture: MeshPicture;
  readonly board = new Board();
  readonly #options: ParticipantOptions;
  readonly #identity = createIdentity();
  readonly #signal: HubSignal;
  /** Nodes to which this node has cut its link, until the link is back. */
  readonly #cuts = new Set<string>();
  readonly #closing = new AbortController();
  #node!: MeshNode<MeshProtocol, { readonly mesh: Message }>;
  #reports = 0;
  #strokes = 0;

  constructor(options: ParticipantOptions) {
    this.#options = options;
    this.picture = new MeshPicture((change) => options.changed?.(change));
    const address = `${options.site}${HUB_PATH}`;
    const identity = this.#identity;
    this.#signal = createHubSignal({ address, backends: [ws()], identity, relay: true });
  }

  get nodeId(): string {
    return this.#identity.nodeId;
  }

  async start(): Promise<void> {
    const { site, server } = this.#options;
    const identity = this.#identity;
    const first = `${site}${MESH_PATH}`;
    const { board } = this;
    this.#node = await createNode({
      address: server === undefined ? 'webrtc://0' : first,
      identity,
      protocol: meshProtocol,
      handlers: {
        cut: (nodeId) => this.#cutOwn(nodeId),
        async *board() {
          yield* board.strokes();
        },
      },
      // The first node needs WebRTC, too: peers pass on no address that they can't dial themselves.
      backends: [secured(server ?? ws(), { identity }), webrtc({ signal: this.#signal, identity })],
      transport: {
        advertiseAddr: server === undefined ? undefined : first,
        // A node whose computer sleeps is missed after 5 s, and links are measured every 2.5 s.
        keepAlive: { interval: 2_500, timeout: 2_500 },
        // A direct WebRTC connection is tried for 0.6 of this, then the relay.
        dialTimeout: 8_000,
      },
      peers: {
        persistent: server === undefined ? [first] : [],
        maxOutbound: 16,
        reconnect: { initialBackoff: 2_000, maxBackoff: 5_000 },
        exchange: { interval: 12_000 },
      },
      gossip: {
        overlay: partialView({ neighborTimeout: 3_000, denyWindow: 1_000 }),
        topics: {
          mesh: {
            codec: json(Message),
            onMessage: (message, { origin }) => this.#received(message, origin),
          },
        },
      },
    });
    void this.#followPeers();
    void this.#reportRegularly();
  }

  /** Draws a line of at most 64 points, here and at all other nodes. */
  draw(points: Point[]): void {
    const number = this.#strokes++;
    const stroke: Stroke = { type: 'stroke', by: this.nodeId, number, points };
    this.board.add(stroke);
    void this.#publish(stroke);
  }

  /** Cuts a link, also one between two other nodes. Resolves to whether one of them did so. */
  async cut([one, other]: Ends): Promise<boolean> {
    if (one === this.nodeId) return this.#cutOwn(other);
    if (other === this.nodeId) return this.#cutOwn(one);
    const { transport } = this.#node;
    return transport
      .send(`node:${one}`, 'cut', other)
      .catch(() => transport.send(`node:${other}`, 'cut', one));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#publish({ type: 'leave' });
    await this.#node?.close();
    await this.#signal.close();
  }

  /** Refuses a node for some seconds, and then connects to it again. */
  #cutOwn(nodeId: string): boolean {
    const { peers } = this.#node;
    const peer = peers.get(nodeId);
    if (peer === undefined) return false;
    peers.ban(nodeId, CUT_TIME, 'the link was cut');
    if (this.#cuts.size < MOST_LINKS) this.#cuts.add(nodeId);
    this.#report();
    if (peer.addr !== undefined) void this.#reconnect(nodeId, peer.addr);
    return true;
  }

  async #reconnect(nodeId: string, address: string): Promise<void> {
    const { signal } = this.#closing;
    const { peers, transport } = this.#node;
    try {
      await systemClock.sleep(CUT_TIME, signal);
      peers.unban(nodeId);
      await transport.dial(`${nodeId}@${address}`, { signal });
    } catch {
      // The node has gone, or it is found again as any other node is.
    }
  }

  #received(message: Message, origin: string): void {
    if (message.type === 'stroke') this.board.add(message);
    else if (message.type === 'report') this.picture.report(origin, message, systemClock.now());
    else this.picture.remove(origin);
  }

  /** Ignores failures: the next report, or the next copy of the board, makes up for them. */
  async #publish(message: Message): Promise<void> {
    await this.#node?.topics.mesh.publish(message).catch(() => {});
  }

  async #followPeers(): Promise<void> {
    for await (const event of this.#node.peers.events()) {
      if (event.type === 'up') {
        this.#cuts.delete(event.peer.nodeId);
        void this.#copyBoard(event.peer.remote);
      } else if (event.type !== 'down') continue;
      this.#report();
    }
  }

  async #reportRegularly(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#report();
      this.picture.expire(systemClock.now());
      await systemClock.sleep(INTERVAL, signal).catch(() => {});
    }
  }

  #report(): void {
    if (this.#closing.signal.aborted) return;
    const { peers, topics } = this.#node;
    const linked = peers.list().filter(({ nodeId }) => !this.#cuts.has(nodeId));
    const report: Report = {
      type: 'report',
      number: this.#reports++,
      kind: this.#options.kind,
      strokes: this.board.size,
      links: linked.slice(0, MOST_LINKS).map(({ nodeId, remote, rtt }) => ({
        nodeId,
        path: pathOf(remote),
        rtt,
        isNeighbor: topics.mesh.neighbors.includes(nodeId),
      })),
      cuts: [...this.#cuts],
    };
    this.#received(report, this.nodeId);
    void this.#publish(report);
  }

  /** Adds the strokes of another node, which both may have missed of each other while apart. */
  async #copyBoard(remote: Remote): Promise<void> {
    try {
      const strokes = this.#node.transport.send(remote, 'board', new Uint8Array());
      for await (const stroke of strokes) this.board.add(stroke);
    } catch {
      // The connection is lost; the board is copied when the node is back.
    }
  }
}

function pathOf({ endpoint }: Remote) {
  if (endpoint.startsWith('relay:')) return 'relay';
  return endpoint.startsWith('webrtc:') ? 'webrtc' : 'ws';
}
