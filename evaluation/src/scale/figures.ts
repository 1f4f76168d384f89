// What `evaluate scale` measures, as it is kept in docs/scale/figures.json, and what it takes from
// the benchmarks.

import { existsSync, readFileSync } from 'node:fs';
import type { Part } from '@trunkline/bench/performance/record';
import type { WholeFigures } from './whole.ts';

/** Costs between real processes, as medians over the rounds. */
export interface ProcessFigures {
  /** Processes, one of which publishes. */
  readonly nodes: number;
  /** Bytes of a message, and messages a second. */
  readonly size: number;
  readonly rate: number;
  /** By kind of network: CPU in µs and bytes. */
  readonly kinds: Readonly<Record<string, ProcessCost>>;
}

/** CPU in microseconds, and bytes. */
export interface ProcessCost {
  /** CPU of all processes and the server, for a delivery. */
  readonly cpu: number;
  /** CPU of the publisher, for a message. */
  readonly publisher: number;
  /** CPU of the server, for a delivery; 0 if there is none. */
  readonly server: number;
  /** Bytes transferred, for a delivery. */
  readonly bytes: number;
}

/** Figures of the machines of trees at one size; see the scenario `sizes` of gossip. */
export interface TreeFigures {
  readonly nodes: number;
  readonly seconds: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** The machine that a part was measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
}

/** All figures; a part that has not run yet is absent. */
export interface ScaleFigures {
  readonly processes?: ProcessFigures & { readonly machine: Machine };
  readonly whole?: readonly WholeFigures[];
  readonly trees?: readonly TreeFigures[];
}

/** Reads the figures of earlier runs; none if there is no file. */
export function readFigures(file: string): ScaleFigures {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ScaleFigures) : {};
}

/** The memory of an idle connection, from the benchmark `s8`: KiB of RSS for each end. */
export interface ConnectionMemory {
  readonly rss: number;
  readonly machine: Machine;
}

/** Reads the memory of a connection from the figures of the benchmarks. */
export function readMemory(file: string): ConnectionMemory {
  const { s8 } = (JSON.parse(readFileSync(file, 'utf8')) as BenchFigures).calls;
  const row = s8.rows.find(({ name }) => name === 'trunkline-tcp')!;
  return { rss: row.figures['rss']!.median, machine: s8.machine };
}

interface BenchFigures {
  readonly calls: { readonly s8: Pick<Part, 'machine' | 'rows'> };
}
