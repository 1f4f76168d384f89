// The namespace `nemeses` of the main entry: the ready-made nemeses.
export {
  badLinks,
  bridge,
  flappingLink,
  holds,
  isolate,
  majorityRing,
  oneWay,
  resets,
  splitBrain,
} from './faults/network-nemeses.ts';
export {
  clockStorm,
  crashes,
  diskTrouble,
  membership,
  pauses,
  rollingRestart,
  slowNode,
} from './faults/node-nemeses.ts';
export type { NemesisOptions } from './faults/plan.ts';
export { compose, type NemesisKind, type SwarmOptions, swarm } from './faults/swarm.ts';
