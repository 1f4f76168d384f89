// The ways to spread messages from one publisher to many subscribers, by the name of their column.

import type { Kind } from './kind.ts';

const KINDS: Readonly<Record<string, () => Promise<Kind>>> = {
  'limit-net': async () => (await import('./limit-net.ts')).limitNet,
  'trunkline-tcp': async () => (await import('../gossip-processes/overlays.ts')).mesh,
  'nats-server': async () => ({
    open: (await import('../gossip-processes/nats.ts')).nats.open,
    throughServer: true,
  }),
};

export const FAN_OUT_NAMES: readonly string[] = Object.keys(KINDS);

export function fanOutOf(name: string): Promise<Kind> {
  return KINDS[name]!();
}
