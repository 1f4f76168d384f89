// Formats a snapshot as text, for operators in a terminal and for failing tests.

import type { TransportSnapshot } from '@trunkline/transport-core';
import { type ConnectionSnapshot, cleanText } from '@trunkline/transport-core/backend';

/**
 * Formats a snapshot as lines: the transport's state, a table of its connections, then its errors
 * and counters, if any.
 */
export function formatSnapshot(snapshot: TransportSnapshot): string {
  const {
    state,
    draining,
    name,
    version,
    network,
    localAddrs,
    protocols,
    connections,
    dialing,
    names,
    memory,
    waiting,
    calls,
    errors,
    counters,
  } = snapshot;
  const lines = [
    `transport ${name === undefined ? '' : `${cleanText(name)} `}${draining && state === 'open' ? 'draining' : state}, version ${version}, network '${network}', ${localAddrs.length > 0 ? `on ${localAddrs.join(', ')}` : 'not listening'}`,
    `protocols ${protocols.map(({ name, version, channel }) => `${name} v${version} (0x${channel.toString(16).padStart(2, '0')})`).join(', ')}`,
    `calls ${calls.made} made, ${calls.served} served, ${waiting} waiting; ${size(memory)} unread`,
  ];
  if (dialing.length > 0) lines.push(`dialing ${dialing.map(cleanText).join(', ')}`);
  for (const { name, addresses, error } of names) {
    const list = addresses?.map(({ address }) => address).join(', ') || 'no addresses';
    lines.push(cleanText(`${name}: ${list}${error === undefined ? '' : ` (${error})`}`));
  }
  if (connections.length > 0)
    lines.push(
      '',
      ...table([
        COLUMNS.map(([title]) => title),
        ...connections.map((one) => COLUMNS.map(([, cell]) => cleanText(cell(one)))),
      ]),
    );
  for (const [title, counts] of [
    ['errors', errors],
    ['counted', counters],
  ] as const) {
    const parts = Object.entries(counts).filter(([, count]) => count > 0);
    if (parts.length > 0)
      lines.push('', `${title} ${parts.map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }
  return lines.join('\n');
}

const COLUMNS: readonly [title: string, cell: (connection: ConnectionSnapshot) => string][] = [
  ['connection', (c) => c.id],
  ['state', (c) => c.state],
  ['endpoint', (c) => c.endpoint],
  ['peer', (c) => c.name ?? c.nodeId?.slice(0, 12) ?? c.addr ?? '–'],
  ['rtt', (c) => (c.rtt === undefined ? '–' : `${c.rtt.toFixed(2)} ms`)],
  ['age', (c) => `${(c.age / 1_000).toFixed(1)} s`],
  ['in', (c) => size(c.bytes.in)],
  ['out', (c) => size(c.bytes.out)],
  ['calls in/out', (c) => `${c.calls.in}/${c.calls.out}`],
  ['streams', (c) => String(c.streams)],
  ['waiting', (c) => `${c.inbound.calls} (${size(c.inbound.bytes)})`],
  ['queued', (c) => `${c.outbound.messages} (${size(c.outbound.bytes)})`],
];

function table(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

/** Formats a number of bytes: 1536 → '1.5 KiB'. */
function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 4);
  return `${(bytes / 1_024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}
