// The kind of connection between the processes: a module that creates the stream layer of each
// process.

import type { StreamLayer } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';

/**
 * The exports of a network module. Each process imports the module; without a network module, the
 * processes use TCP.
 */
export interface ProcessNetwork {
  /**
   * Runs once, in the process of the test. Its result is passed to every call of `layer` and must
   * survive JSON. An example is the key of an authority that all processes trust.
   */
  prepare?(): unknown;
  /**
   * Returns the stream layer of a node or client. It listens on a free address of this machine, and
   * its bytes pass through TCP proxies.
   */
  layer(name: string, prepared: unknown): StreamLayer | Promise<StreamLayer>;
}

/** Plain TCP. */
export const PLAIN_TCP: ProcessNetwork = {
  layer: () => createTcpStreamLayer({ bindAddr: ANYWHERE }),
};

/** An address that stands for any free port of this machine. */
export const ANYWHERE = '127.0.0.1:0';

/**
 * Imports a network module.
 *
 * @throws TypeError if it exports no function `layer`.
 */
export async function importNetwork(url: string | undefined): Promise<ProcessNetwork> {
  if (url === undefined) return PLAIN_TCP;
  const module = (await import(url)) as Partial<ProcessNetwork>;
  if (typeof module.layer !== 'function')
    throw new TypeError(`runOnProcesses: network: ${url} must export a function 'layer'`);
  return module as ProcessNetwork;
}
