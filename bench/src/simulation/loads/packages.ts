// Loads Trunkline's packages from a checkout that is built.

import type { Packages } from './load.ts';

/**
 * Imports the packages of a checkout.
 *
 * @param root the URL of its folder, with a final slash.
 */
export async function loadPackages(root: string): Promise<Packages> {
  const load = (path: string) => import(new URL(`packages/${path}`, root).href);
  const [core, simulation, peers, gossip] = await Promise.all([
    load('transport-core/dist/index.js'),
    load('simulation/dist/index.js'),
    load('peers/dist/index.js'),
    load('gossip/dist/index.js'),
  ]);
  return { core, simulation, peers, gossip };
}
