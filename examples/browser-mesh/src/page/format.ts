// The texts that several views share.

import { nameOf } from '../names.ts';
import type { Ends, MeshChange, MeshLink } from '../picture.ts';

/** Returns a latency such as '1.2 ms'. */
export function latencyOf({ rtt }: Pick<MeshLink, 'rtt'>): string {
  if (rtt === undefined) return '';
  return `${rtt < 10 ? rtt.toFixed(1) : Math.round(rtt)} ms`;
}

export function endsOf([one, other]: Ends): string {
  return `${nameOf(one)} – ${nameOf(other)}`;
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Describes a change of the mesh in a sentence. */
export function describe(change: MeshChange): string {
  switch (change.type) {
    case 'joined':
      return `${nameOf(change.nodeId)} joined`;
    case 'left':
      return `${nameOf(change.nodeId)} left`;
    case 'cut':
      return `The link ${endsOf(change.ends)} was cut`;
    case 'healed':
      return `The link ${endsOf(change.ends)} is back after ${(change.after / 1_000).toFixed(1)} s`;
  }
}
