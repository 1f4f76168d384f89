// A deterministic cluster for tests: virtual time, faults, and a trace with a hash.
export { createSimulation, type Simulation, type SimulationOptions } from './simulation.ts';
export type { InterceptedMessage, Interceptor, Verdict } from './network/interceptors.ts';
export type { LinkOptions } from './network/link-settings.ts';
export type { Level } from './network/sim-network.ts';
export type { Direction } from './network/topology.ts';
export type { DiskOptions } from './nodes/node-store.ts';
export type { Leak, NodeContext, Setup, SimClock, SimTransportOptions, Stop } from './nodes/sim-node.ts';
export type { Delay } from './world/chance.ts';
export { SimulationError } from './world/simulation-error.ts';
export type { TraceSummary } from './world/trace.ts';
export { describeFault, type Fault, type ScheduledFault } from './faults/fault.ts';
export type { Nemesis, NemesisContext } from './faults/nemesis.ts';
