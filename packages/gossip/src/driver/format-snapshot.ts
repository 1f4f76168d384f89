// Formats a snapshot of gossip as a readable table.

import type { GossipSnapshot } from '../snapshots.ts';

/** Returns a table with one line for each topic. */
export function formatGossip({ nodeId, topics, peers }: GossipSnapshot): string {
  const head = `node ${nodeId.slice(0, 8)}: ${topics.length} topics, ${peers.length} peers`;
  const rows = topics.map((topic) => [
    topic.topic.length > LONGEST ? `${topic.topic.slice(0, LONGEST)}…` : topic.topic,
    topic.overlay,
    String(topic.neighbors.length),
    String(topic.interested),
    String(topic.readers.length),
    String(topic.published),
    String(topic.delivered),
    String(topic.duplicates),
    Object.entries(topic.dropped)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', '),
  ]);
  const table = [
    [
      'topic',
      'overlay',
      'neighbors',
      'interested',
      'readers',
      'published',
      'delivered',
      'duplicates',
      'dropped',
    ],
    ...rows,
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '),
  );
  return [head, ...lines.map((line) => line.trimEnd())].join('\n');
}

/** Maximum number of characters shown of a topic's name. */
const LONGEST = 32;
