// The adapters that can be measured, by the name that stands in the table. A process loads the one that it needs.

import type { Adapter } from './adapter.ts';

const ADAPTERS: Readonly<Record<string, () => Promise<Adapter>>> = {
  'limit-net': async () => (await import('./limit-net.ts')).limitNet,
  'trunkline-tcp': async () => (await import('./trunkline-tcp.ts')).trunklineTcp,
  'limit-tls': async () => (await import('./limit-tls.ts')).limitTls,
  'trunkline-tls': async () => (await import('./trunkline-tls.ts')).trunklineTls,
  'trunkline-noise': async () => (await import('./trunkline-noise.ts')).trunklineNoise,
};

/** @throws TypeError for a name that is none. */
export async function adapterOf(name: string): Promise<Adapter> {
  const load = ADAPTERS[name];
  if (load === undefined) throw new TypeError(`no adapter is named '${name}'; there are ${Object.keys(ADAPTERS).join(', ')}`);
  return load();
}
