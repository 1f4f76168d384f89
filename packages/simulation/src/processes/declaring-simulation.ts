// The simulation as the process of a node sees it. The scenario declares its nodes and then waits
// forever, because everything else happens in the process of the test.

import type { NodeSetup } from '../nodes/node-context.ts';
import type { Portable } from './process-simulation.ts';

/**
 * A simulation in which nodes are declared, but nothing happens. A node that the scenario declares
 * after its first `run`, `until` or `settle` never gets here, so ProcessSimulation refuses it.
 */
export class DeclaringSimulation implements Readonly<Record<keyof Portable | 'node', unknown>> {
  readonly seed: number;
  readonly level = 'stream';
  readonly faults = [];
  readonly now = 0;
  readonly events = 0;
  readonly nodes: string[] = [];
  readonly calmSince = undefined;
  readonly trace = { hash: '', events: 0, timeline: [], states: {} };
  readonly #declared: (name: string, setup: NodeSetup) => void;

  constructor(seed: number, declared: (name: string, setup: NodeSetup) => void) {
    this.seed = seed;
    this.#declared = declared;
  }

  node(name: string, setup: NodeSetup): this {
    this.nodes.push(name);
    this.#declared(name, setup);
    return this;
  }

  client(): unknown {
    return CLIENT;
  }

  isUp(): boolean {
    return false;
  }

  run(): Promise<never> {
    return NEVER;
  }

  until(): Promise<never> {
    return NEVER;
  }

  settle(): Promise<never> {
    return NEVER;
  }

  close(): Promise<never> {
    return NEVER;
  }

  at(): void {}
  inject(): void {}
  schedule(): void {}
  partition(): void {}
  cut(): void {}
  hold(): void {}
  release(): void {}
  link(): void {}
  reset(): void {}
  heal(): void {}
  crash(): void {}
  restart(): void {}
  pause(): void {}
  refuse(): void {}
  slow(): void {}
  skew(): void {}
  drift(): void {}
  disk(): void {}
  membership(): void {}

  unleash(): readonly never[] {
    return [];
  }

  always(): () => void {
    return () => {};
  }

  eventually(): () => void {
    return () => {};
  }
}

const NEVER = new Promise<never>(() => {});
/** A clock that returns at once, so that code can begin; all waits on it last forever. */
const CLOCK = {
  now: () => 0,
  wall: () => 0,
  setTimeout: () => undefined,
  clearTimeout: () => {},
  sleep: () => NEVER,
  defer: () => {},
};
/**
 * A function, object and promise in one: every use of it returns the same object, and nothing
 * settles.
 */
const INERT: unknown = new Proxy(() => {}, {
  get: (_, key) => (key === 'then' ? () => NEVER : INERT),
  apply: () => INERT,
});
/** A transport whose calls are never answered. */
const CLIENT: unknown = new Proxy(
  { clock: CLOCK, random: () => 0 },
  { get: (own, key) => (key in own ? Reflect.get(own, key) : key === 'then' ? undefined : INERT) },
);
