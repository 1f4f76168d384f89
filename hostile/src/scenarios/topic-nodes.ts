// Honest nodes of a topic on loopback, and attackers that join them.

import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createGossip,
  type Gossip,
  partialView,
  type Topic,
  type TopicOptions,
} from '@trunkline/gossip';
import { createPeers, type Peers } from '@trunkline/peers';
import type { Identity } from '@trunkline/security';
import { bytes, type Clock, createTransport, defineProtocol } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { AttackerConnection } from '../attacker-connection.ts';
import { NO_KEYS } from '../carriers.ts';
import type { ScenarioRun } from '../scenario.ts';
import { GOSSIP, joinTopic } from '../topic-member.ts';
import { concat, frame, Kind, text } from '../wire.ts';

export interface TopicNode {
  readonly id: string;
  readonly address: string;
  readonly peers: Peers;
  readonly gossip: Gossip;
  readonly topic: Topic<Uint8Array>;
  /** The messages that its reader got, in order. */
  readonly heard: string[];
}

export interface TopicNodeOptions {
  readonly seeds?: readonly string[];
  readonly topic?: TopicOptions<Uint8Array>;
  /** Signs what the node publishes; its id is then that of the identity. */
  readonly identity?: Identity;
  readonly clock?: Clock;
}

const protocol = defineProtocol({ name: 'crowd', methods: {} });
/** The key of the topic of all nodes. */
const KEY: Uint8Array = createHash('sha256').update('crowd').digest();

/** Starts an honest node that reads the topic, with default options unless others are given. */
export async function topicNode(
  run: ScenarioRun,
  { seeds = [], topic: ofTopic = {}, identity, clock }: TopicNodeOptions = {},
): Promise<TopicNode> {
  const transport = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()], clock });
  run.own(transport, () => transport.close());
  await transport.listen();
  const peers = createPeers({ transport, seeds, identity });
  const signatures = identity === undefined ? undefined : { identity };
  const gossip = createGossip({ transport, peers, overlay: partialView(), signatures });
  const topic = gossip.topic('crowd', bytes, ofTopic);
  const heard: string[] = [];
  topic.subscribe((message) => void heard.push(new TextDecoder().decode(message)));
  await gossip.start();
  await peers.start();
  run.own(gossip, async () => {
    await gossip.close({ grace: 0 });
    await peers.close();
  });
  return { id: peers.nodeId, address: transport.advertiseAddr(), peers, gossip, topic, heard };
}

/** Starts honest nodes that know the first one, and waits until each has a neighbor. */
export async function topicNodes(
  run: ScenarioRun,
  all: readonly TopicNodeOptions[],
): Promise<TopicNode[]> {
  const first = await topicNode(run, all[0]);
  const seeds = [first.address];
  const nodes = [first];
  for (const options of all.slice(1)) nodes.push(await topicNode(run, { seeds, ...options }));
  await until(() => nodes.every(({ topic }) => topic.neighbors.length > 0));
  return nodes;
}

/** Publishes numbered messages, one in each interval, and returns them. */
export async function publishing(
  { topic }: TopicNode,
  count: number,
  interval: number,
): Promise<string[]> {
  const texts: string[] = [];
  for (let number = 0; number < count; number++) {
    texts.push(`honest ${number}`);
    await topic.publish(text(texts[number]!));
    await sleep(interval);
  }
  return texts;
}

/** Returns how many of these messages the node has heard, after a while at most. */
export async function heardOf({ heard }: TopicNode, texts: readonly string[]): Promise<number> {
  const count = () => texts.filter((each) => heard.includes(each)).length;
  await until(() => count() === texts.length).catch(() => {});
  return count();
}

/** Waits until a condition holds. @throws Error if it does not within PATIENCE. */
export async function until(holds: () => boolean): Promise<void> {
  for (const begin = performance.now(); !holds(); await sleep(20))
    if (performance.now() - begin > PATIENCE) throw new Error('an honest node waited in vain');
}

/** An attacker that is connected to an honest node as a peer, and keeps to its credit. */
export class TopicAttacker {
  readonly id: string;
  readonly connection: AttackerConnection;
  /** Called with each one-way of gossip that arrives: its method and payload. */
  onOneway: (method: number, payload: Uint8Array) => void = () => {};
  #credit = CREDIT;

  private constructor(id: string, connection: AttackerConnection) {
    this.id = id;
    this.connection = connection;
  }

  /** Connects; a `member` joins the topic, too, and becomes a neighbor if there is room. */
  static async connect(
    run: ScenarioRun,
    { address }: TopicNode,
    isMember: boolean,
    id: string = randomBytes(32).toString('hex'),
  ): Promise<TopicAttacker> {
    const connection = await AttackerConnection.admitted(
      {
        carrier: 'tcp',
        host: '127.0.0.1',
        port: Number(address.split(':').at(-1)),
        ...NO_KEYS,
      },
      {
        nodeId: id,
        addr: 'tcp://127.0.0.1:9',
        protocols: [
          { name: 'trunkline.peers', version: 1, channel: 1 },
          { name: 'trunkline.gossip', version: 1, channel: GOSSIP },
        ],
      },
    );
    run.own(connection, () => connection.destroy());
    const attacker = new TopicAttacker(id, connection);
    if (isMember) await joinTopic(connection, id, KEY);
    const { onFrame } = connection;
    connection.onFrame = (read) => {
      onFrame(read);
      if (read.kind === Kind.credit && read.account === 2 && read.channel === GOSSIP)
        attacker.#credit += read.credit;
      if (read.kind === Kind.oneway && read.channel === GOSSIP)
        attacker.onOneway(read.method, read.payload);
    };
    return attacker;
  }

  /** Sends one-ways of gossip as soon as there is credit for them. */
  async send(method: number, payloads: readonly Uint8Array[]): Promise<void> {
    const sent = payloads.map((payload) =>
      frame({ kind: Kind.oneway, channel: GOSSIP, method, payload }),
    );
    const cost = sent.reduce((sum, { length }) => sum + length + 1_024, 0);
    const { connection } = this;
    await connection.until(() => this.#credit >= cost || connection.goAway !== undefined);
    this.#credit -= cost;
    await connection.push(concat(...sent));
  }
}

export const Method = { push: 1, control: 2, view: 3 } as const;
export const Control = { ihave: 0, graft: 1, prune: 2, absent: 3, attach: 4 } as const;

/** Makes a control message. */
export function control(kind: number, entries: Uint8Array = new Uint8Array(0)): Uint8Array {
  return concat(Uint8Array.of(kind), KEY, entries);
}

/** Makes a message to all that has passed one link, without a signature or with that one. */
export function push(
  id: Uint8Array,
  payload: Uint8Array,
  signed?: { readonly spki: Uint8Array; readonly signature: Uint8Array },
): Uint8Array {
  const head = concat(Uint8Array.of(signed === undefined ? 0 : 0x80), KEY, Uint8Array.of(0, 1), id);
  if (signed === undefined) return concat(head, payload);
  const { spki, signature } = signed;
  return concat(head, Uint8Array.of(spki.length), spki, signature, payload);
}

/** Returns the id of a message. */
export function idIn(message: Uint8Array): {
  readonly origin: string;
  readonly life: number;
  readonly number: number;
} {
  const id = Buffer.from(message).subarray(35, 79);
  return {
    origin: id.toString('hex', 0, 32),
    life: id.readUIntBE(32, 6),
    number: id.readUIntBE(38, 6),
  };
}

export function messageId(origin: string, life: number, number: number): Uint8Array {
  const id = Buffer.alloc(44);
  id.set(Buffer.from(origin, 'hex'));
  id.writeUIntBE(life, 32, 6);
  id.writeUIntBE(number, 38, 6);
  return id;
}

/** Makes a view message. */
export function view(message: object, addresses: readonly (readonly string[])[] = []): Uint8Array {
  const topic = Buffer.from(KEY).toString('hex');
  return text(JSON.stringify({ topic, message, addresses }));
}

/** The credit of one-ways on a channel, with room for a frame in flight. */
const CREDIT = 8 * 1024 * 1024 - 4_096;
/** Milliseconds that honest nodes may take. */
const PATIENCE = 20_000;
