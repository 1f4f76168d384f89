// The adapters that can be measured, by the name that stands in the table.

import type { Adapter } from './adapter.ts';
import { limitNet } from './limit-net.ts';
import { limitTls } from './limit-tls.ts';
import { trunklineNoise } from './trunkline-noise.ts';
import { trunklineTcp } from './trunkline-tcp.ts';
import { trunklineTls } from './trunkline-tls.ts';

const ADAPTERS: readonly Adapter[] = [limitNet, trunklineTcp, limitTls, trunklineTls, trunklineNoise];

/** @throws TypeError for a name that is none. */
export function adapterOf(name: string): Adapter {
  const found = ADAPTERS.find((adapter) => adapter.name === name);
  if (found === undefined) throw new TypeError(`no adapter is named '${name}'; there are ${ADAPTERS.map((adapter) => adapter.name).join(', ')}`);
  return found;
}
