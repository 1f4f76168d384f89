// The columns of the tables: each has an adapter, the scenarios it is measured in, and the column
// of the same round that it is compared with.

import { PEER_NAMES } from './adapters/table.ts';
import { named } from './named.ts';

export interface Column {
  readonly title: string;
  readonly adapter: string;
  /** Scenarios in which the column is measured unless columns are named. */
  readonly scenarios: readonly string[];
  /** Returns the column that its ratios refer to in a scenario. */
  against?(scenario: string): Column;
}

const CALLS = ['s1', 's2', 's3', 's4', 's5', 's6'];
const ALL = [...CALLS, 's7', 's8'];
const BULK = new Set(['s4', 's5']);

export const LIMIT = column('limit-net', ALL);
/** The limit measured a second time: its ratio to the first measurement shows the noise. */
const AGAIN: Column = { ...column('limit-net', ALL, () => LIMIT), title: 'limit-net again' };
export const EARLY = column('limit-net-early', ['s2', 's3'], () => LIMIT);
export const CREDIT = column('limit-net-credit', ['s4', 's5', 's6'], () => LIMIT);
const POOLED = column('limit-net-pooled', ['s8'], () => LIMIT);
/**
 * Picks the limit to compare with: in scenarios of large messages, the one that also lets small
 * messages pass.
 */
const fair = (scenario: string) => (BULK.has(scenario) ? CREDIT : LIMIT);
export const TCP = column('trunkline-tcp', ALL, fair);
export const CONSUMER = column('trunkline-tcp-consumer', ['s2'], fair);
export const FIXED = column('trunkline-tcp-fixed', ['s5', 's6'], fair);
export const PROTOBUF = column('trunkline-tcp-protobuf', ['s2'], () => TCP);
export const LIMIT_WS = column('limit-ws', ['s1', 's2', 's3', 's5', 's6'], () => LIMIT);
export const WS = column('trunkline-ws', ['s1', 's2', 's3', 's5', 's6'], () => LIMIT_WS);
export const LIMIT_INPROC = column('limit-inproc', ['s2'], () => LIMIT);
export const INMEM = column('trunkline-inmem', ['s2'], () => LIMIT_INPROC);
export const INMEM_STREAMS = column('trunkline-inmem-streams', ['s2'], () => LIMIT_INPROC);
// The secure columns are measured only if they are named.
const LIMIT_TLS = column('limit-tls', [], () => LIMIT);
const TLS = column('trunkline-tls', [], () => LIMIT_TLS);
const NOISE = column('trunkline-noise', [], () => TLS);

/** Other libraries, compared with the same limit. */
const PEERS: readonly Column[] = PEER_NAMES.map((name) => column(name, CALLS, () => LIMIT));

// biome-ignore format: a family a line
const COLUMNS: readonly Column[] = [
  LIMIT, AGAIN, EARLY, CREDIT, POOLED,
  TCP, CONSUMER, FIXED, PROTOBUF,
  LIMIT_WS, WS,
  LIMIT_INPROC, INMEM, INMEM_STREAMS,
  LIMIT_TLS, TLS, NOISE,
];

/**
 * Returns the columns of a scenario and those that they are compared with. Without names, returns
 * the columns meant for the scenario.
 * @param peers the other libraries that are measured too.
 * @throws TypeError if no column has a given name.
 */
export function columnsOf(
  { name: scenario, suits }: { readonly name: string; suits(adapter: string): boolean },
  names: readonly string[],
  peers: readonly string[] = [],
): Column[] {
  const all = [...COLUMNS, ...PEERS.filter(({ adapter }) => peers.includes(adapter))];
  const chosen = named('adapter', 'adapter', all, ({ adapter }) => adapter, names).filter(
    ({ adapter, scenarios }) =>
      suits(adapter) && (names.length > 0 || scenarios.includes(scenario)),
  );
  return all.filter(
    (column) =>
      chosen.includes(column) || chosen.some(({ against }) => against?.(scenario) === column),
  );
}

function column(
  adapter: string,
  scenarios: readonly string[],
  against?: (scenario: string) => Column,
): Column {
  return { title: adapter, adapter, scenarios, ...(against !== undefined && { against }) };
}
