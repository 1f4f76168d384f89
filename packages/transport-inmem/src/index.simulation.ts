// A deterministic cluster for tests: virtual time, faults, and a trace with a hash.

export { describeFault, type Fault, type ScheduledFault } from './simulation/faults/fault.ts';
export type { Nemesis, NemesisContext } from './simulation/faults/nemesis.ts';
export type { InterceptedMessage, Interceptor, Verdict } from './simulation/network/interceptors.ts';
export type { LinkOptions } from './simulation/network/link-settings.ts';
export type { Level } from './simulation/network/sim-network.ts';
export type { Direction } from './simulation/network/topology.ts';
export type { DiskOptions } from './simulation/nodes/node-store.ts';
export type { Leak, NodeContext, Setup, SimClock, SimTransportOptions, Stop } from './simulation/nodes/sim-node.ts';
export { createSimulation, type Simulation, type SimulationOptions } from './simulation/simulation.ts';
export type { Delay } from './simulation/world/chance.ts';
export { SimulationError } from './simulation/world/simulation-error.ts';
export type { TraceSummary } from './simulation/world/trace.ts';
