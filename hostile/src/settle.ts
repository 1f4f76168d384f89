// Finds what a victim has left over after an attack.

import { setTimeout as sleep } from 'node:timers/promises';
import type { VictimReport } from './victim.ts';

/**
 * Polls until handles and connections are back at the base, or the victim's longest deadline has
 * passed.
 */
export async function settle(
  look: () => Promise<VictimReport>,
  base: VictimReport,
): Promise<VictimReport> {
  for (let tries = 0; ; tries++) {
    const now = await look();
    if (leftOver(now, base) === '' || tries === LONGEST / POLL) return now;
    await sleep(POLL);
  }
}

/** Describes the handles and connections in excess of the base; empty if there are none. */
export function leftOver(now: VictimReport, base: VictimReport): string {
  const kinds = Object.entries(now.resources).filter(([kind]) =>
    /^(TCP|TLS|UDP).*Wrap$/.test(kind),
  );
  const more = kinds
    .map(([kind, count]) => [kind, count - (base.resources[kind] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const connections = now.connections - base.connections;
  return [
    ...more.map(([kind, count]) => `${count} ${kind}`),
    ...(connections > 0 ? [`${connections} connections`] : []),
  ].join(', ');
}

/** In milliseconds. */
const LONGEST = 20_000;
const POLL = 100;
