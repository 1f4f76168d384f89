// The adapters that can be measured, by the names of the command line.

import { flood } from './flood.ts';
import type { Kind } from './kind.ts';
import { nats } from './nats.ts';
import { mesh, tree } from './overlays.ts';

export const KINDS = { tree, mesh, flood, nats } as const satisfies Record<string, Kind>;
export type KindName = keyof typeof KINDS;
