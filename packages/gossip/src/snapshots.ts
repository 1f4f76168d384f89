// The states of gossip and of its topics as plain data, for diagnosis.

import type { MessageDropReason } from './types.ts';

/** The state of a topic as plain data. */
export interface TopicSnapshot {
  /** The name of the topic, or its 32 bytes in hex. */
  readonly topic: string;
  /** The topic key: 64 hex digits that identify the topic between nodes. */
  readonly key: string;
  /** The name of the overlay. */
  readonly overlay: string;
  /** The number of this node's current life on the topic; −1 before the start. */
  readonly life: number;
  /** Node ids of the neighbors. */
  readonly neighbors: readonly string[];
  /** The number of connected peers that are on the topic. */
  readonly interested: number;
  /** The number of open handles. */
  readonly handles: number;
  /**
   * One entry for each reader: the number and size in bytes of the messages in its queue, and the
   * number of messages it has missed.
   */
  readonly readers: readonly {
    readonly waiting: number;
    readonly bytes: number;
    readonly missed: number;
  }[];
  /**
   * The number of messages that validators are checking now, and the number that wait for a
   * validator.
   */
  readonly validating: number;
  readonly toValidate: number;
  /**
   * Numbers of messages since the topic was opened: messages published by this node, and messages
   * delivered to its readers.
   */
  readonly published: number;
  readonly delivered: number;
  /** Number of copies of messages that had arrived already. */
  readonly duplicates: number;
  /** The number of dropped messages for each reason. */
  readonly dropped: Readonly<Partial<Record<MessageDropReason, number>>>;
  /**
   * Details that the overlay reports about itself, and the numbers of publishers (`origins`) and of
   * missing messages (`gaps`) that the topic remembers.
   */
  readonly details: unknown;
}

/** Large messages that relays are delivering. */
export interface RelaySnapshot {
  /** Messages of this node that have not reached all their recipients yet. */
  readonly own: { readonly messages: number; readonly bytes: number };
  /** Messages of other nodes. */
  readonly others: { readonly messages: number; readonly bytes: number };
  /**
   * The number of times that this node sent one of its messages directly to a recipient because no
   * relay had brought it.
   */
  readonly repaired: number;
}

/** The state of gossip as plain data. */
export interface GossipSnapshot {
  readonly nodeId: string;
  readonly topics: readonly TopicSnapshot[];
  readonly peers: readonly {
    readonly nodeId: string;
    /**
     * The number of this node's topics that the peer is on. Other topics of the peer are unknown.
     */
    readonly topics: number;
    /** The messages queued for the peer, and their size in bytes. */
    readonly waiting: { readonly messages: number; readonly bytes: number };
    /**
     * The number of messages to the peer that were dropped because too many were queued or because
     * they could not be sent.
     */
    readonly dropped: number;
  }[];
  /**
   * Statistics about the search for other nodes of this node's topics, and about answers to other
   * nodes that search. Absent before the start.
   */
  readonly discovery?:
    | {
        /**
         * `first`: on some topic, no other node is known; `more`: more nodes would be useful;
         * `none`: no nodes are needed.
         */
        readonly need: 'first' | 'more' | 'none';
        /**
         * `visited` counts the nodes that this node connected to, and `asked` the members of a
         * topic that it asked for others. `found` counts how many of these steps led to a new node.
         */
        readonly visited: number;
        readonly asked: number;
        readonly found: number;
        /**
         * Numbers of questions from other nodes: those answered, and those refused because there
         * were too many.
         */
        readonly answered: number;
        readonly refused: number;
      }
    | undefined;
  /**
   * Large messages that relays are delivering; absent before the start, and if this node relays
   * nothing: without the option `relay`, or on a partial view.
   */
  readonly relay?: RelaySnapshot | undefined;
}

// Formats a snapshot of gossip as a readable table.

/** Returns a table with one line for each topic. */
export function formatGossip({ nodeId, topics, peers }: GossipSnapshot): string {
  const head = `node ${nodeId.slice(0, 8)}: ${topics.length} topics, ${peers.length} peers`;
  const table = [
    COLUMNS.map(([name]) => name),
    ...topics.map((topic) => COLUMNS.map(([, read]) => String(read(topic)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '),
  );
  return [head, ...lines.map((line) => line.trimEnd())].join('\n');
}

/** The columns of the table: their names, and their values for a topic. */
const COLUMNS: readonly (readonly [string, (topic: TopicSnapshot) => string | number])[] = [
  ['topic', ({ topic }) => (topic.length > LONGEST ? `${topic.slice(0, LONGEST)}…` : topic)],
  ['overlay', ({ overlay }) => overlay],
  ['neighbors', ({ neighbors }) => neighbors.length],
  ['interested', ({ interested }) => interested],
  ['readers', ({ readers }) => readers.length],
  ['published', ({ published }) => published],
  ['delivered', ({ delivered }) => delivered],
  ['duplicates', ({ duplicates }) => duplicates],
  [
    'dropped',
    ({ dropped }) =>
      Object.entries(dropped)
        .map((each) => each.join(' '))
        .join(', '),
  ],
];

/** Maximum number of characters shown of a topic's name. */
const LONGEST = 32;
