// The scenario as a module for the processes; the number of seconds is in its URL.

import { nemeses } from '@trunkline/simulation';
import { type PortableFigures, portableScenario } from './scenario.ts';

const seconds = Number(new URL(import.meta.url).searchParams.get('seconds') ?? 60);

/** The figures of the last run in this process. */
export let figures: PortableFigures | undefined;

export default portableScenario(seconds, (end) => void (figures = end));
/** Kinds of faults that processes can have, until three seconds before the end. */
export const nemesis = nemeses.swarm({
  duration: Math.max(1, seconds - 3) * 1_000,
  kinds: ['splitBrain', 'isolate', 'oneWay', 'flappingLink', 'resets', 'crashes', 'pauses'],
});
