// The columns of the table: what is measured, and what each is compared with in the same round.

import { PEER_NAMES } from './adapters/peers.ts';

export interface Column {
  readonly title: string;
  readonly adapter: string;
  /** The column that its ratios are to. */
  readonly against?: Column;
}

export const LIMIT: Column = { title: 'limit-net', adapter: 'limit-net' };
/** The limit once more: its ratio to itself is the noise. */
const AGAIN: Column = { title: 'limit-net again', adapter: 'limit-net', against: LIMIT };
export const OURS: Column = { title: 'trunkline-tcp', adapter: 'trunkline-tcp', against: LIMIT };
const LIMIT_TLS: Column = { title: 'limit-tls', adapter: 'limit-tls', against: LIMIT };
const TLS: Column = { title: 'trunkline-tls', adapter: 'trunkline-tls', against: LIMIT_TLS };
const NOISE: Column = { title: 'trunkline-noise', adapter: 'trunkline-noise', against: TLS };

/** Other libraries, beside the same limit. */
const PEERS: readonly Column[] = PEER_NAMES.map((name) => ({ title: name, adapter: name, against: LIMIT }));

const COLUMNS: readonly Column[] = [LIMIT, AGAIN, OURS, LIMIT_TLS, TLS, NOISE];

/**
 * Those whose adapters' names begin with one of `names`, and those that they are compared with.
 * @param peers are the other libraries that are measured too.
 * @throws TypeError for a name that is none.
 */
export function columnsOf(names: readonly string[], peers: readonly string[] = []): Column[] {
  const all = [...COLUMNS, ...PEERS.filter(({ adapter }) => peers.includes(adapter))];
  for (const name of names) {
    if (all.some(({ adapter }) => adapter.startsWith(name))) continue;
    throw new TypeError(`--adapter: no adapter is named '${name}'; there are ${[...new Set(all.map(({ adapter }) => adapter))].join(', ')}`);
  }
  const wanted = all.filter(({ adapter }) => names.length === 0 || names.some((name) => adapter.startsWith(name)));
  return all.filter((column) => wanted.includes(column) || wanted.some(({ against }) => against === column));
}
