// What is measured: an adapter each, the scenarios it is for, and what it is compared with in the same round.

import { PEER_NAMES } from './adapters/peers.ts';
import { named } from './named.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Column {
  readonly title: string;
  readonly adapter: string;
  /** Scenarios that it is measured in unless it is named. */
  readonly scenarios: readonly string[];
  /** The column that its ratios are to in a scenario. */
  against?(scenario: string): Column;
}

/** The columns that are measured in each scenario. */
export type Plan = ReadonlyMap<Scenario, readonly Column[]>;

const CALLS = ['s1', 's2', 's3', 's4', 's5', 's6', 's6-elsewhere'];

export const LIMIT: Column = { title: 'limit-net', adapter: 'limit-net', scenarios: CALLS };
const toLimit = () => LIMIT;
/** The limit once more: its ratio to itself is the noise. */
const AGAIN: Column = { title: 'limit-net again', adapter: 'limit-net', scenarios: CALLS, against: toLimit };
export const OURS: Column = { title: 'trunkline-tcp', adapter: 'trunkline-tcp', scenarios: CALLS, against: toLimit };
// The secure ones are measured where they are named.
const LIMIT_TLS: Column = { title: 'limit-tls', adapter: 'limit-tls', scenarios: [], against: toLimit };
const TLS: Column = { title: 'trunkline-tls', adapter: 'trunkline-tls', scenarios: [], against: () => LIMIT_TLS };
const NOISE: Column = { title: 'trunkline-noise', adapter: 'trunkline-noise', scenarios: [], against: () => TLS };

/** Other libraries, beside the same limit. */
const PEERS: readonly Column[] = PEER_NAMES.map((name) => ({ title: name, adapter: name, scenarios: CALLS, against: toLimit }));

const COLUMNS: readonly Column[] = [LIMIT, AGAIN, OURS, LIMIT_TLS, TLS, NOISE];

/**
 * Those of a scenario, and what they are compared with. Without names: those that are for it.
 * @param peers the other libraries that are measured too.
 * @throws TypeError for a name that is none.
 */
export function columnsOf(scenario: string, names: readonly string[], peers: readonly string[] = []): Column[] {
  const all = [...COLUMNS, ...PEERS.filter(({ adapter }) => peers.includes(adapter))];
  const chosen = named('adapter', 'adapter', all, ({ adapter }) => adapter, names).filter((column) => names.length > 0 || column.scenarios.includes(scenario));
  return all.filter((column) => chosen.includes(column) || chosen.some(({ against }) => against?.(scenario) === column));
}
