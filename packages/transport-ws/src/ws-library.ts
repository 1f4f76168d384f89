// Loads ws with the first listen() or dial, so that programs without WebSockets don't pay for it.
// Tested in loading.test.ts.

import { TransportError } from '@trunkline/transport-core';
import { getBuiltinModule } from '@trunkline/transport-core/node';

/** The exports of ws. */
export type WsLibrary = typeof import('ws');

let library: WsLibrary | undefined;
let loading: Promise<WsLibrary> | undefined;

/**
 * Calls `use` with ws: now if it is loaded, otherwise later. Calls `failed` if it can't be loaded.
 * `use` must not throw, because nobody catches its error if it is called later.
 */
export function withWs(use: (library: WsLibrary) => void, failed: (error: unknown) => void): void {
  if (library === undefined) loadWs().then(use, failed);
  else use(library);
}

/**
 * Loads ws, once for all layers; rejects with `unimplemented` if it can't be loaded, from then on
 * each time.
 */
export function loadWs(): Promise<WsLibrary> {
  loading ??= load();
  return loading;
}

async function load(): Promise<WsLibrary> {
  try {
    library = await importWs();
    return library;
  } catch (cause) {
    throw new TransportError(
      'unimplemented',
      'WebSocket in Node needs ws, which could not be loaded: install it (npm install ws@^8.23.0)',
      { cause },
    );
  }
}

/**
 * Imports ws. In an ES module that esbuild made, the `require` of a CommonJS package looks for a
 * global function of that name, which Node lacks, so there is one until ws is loaded. ws requires
 * only modules of Node, and optional packages that it does without.
 */
async function importWs(): Promise<WsLibrary> {
  // biome-ignore lint/style/noRestrictedGlobals: bundles look for this name nowhere else
  const scope = globalThis as { require?: unknown };
  if (scope.require !== undefined) return import('ws');
  scope.require = requireBuiltin;
  try {
    return await import('ws');
  } finally {
    delete scope.require;
  }
}

function requireBuiltin(name: string): unknown {
  const found = getBuiltinModule(name);
  if (found === undefined) throw new Error(`Cannot find module '${name}'`);
  return found;
}
