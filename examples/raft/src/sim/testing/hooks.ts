// Module hooks of a mutant's process: they hand out the changed source of a file, whatever its importer; the disk stays as it is.

import type { LoadFnOutput, LoadHookContext } from 'node:module';
import * as module from 'node:module';
import { type Edit, mutated } from './mutant.ts';

type Edits = readonly Edit[];
let edits: Edits = [];

/** Has every module that is loaded from now on be changed. */
export function mutate(wanted: Edits): void {
  const { registerHooks } = module as { registerHooks?: (hooks: { load: typeof loadSync }) => void };
  edits = wanted;
  if (registerHooks !== undefined) registerHooks({ load: loadSync });
  else module.register(import.meta.url, { data: wanted });
}

/** Where hooks run in a thread of their own (Node 20), this file is loaded there again. */
export function initialize(wanted: Edits): void {
  edits = wanted;
}

export async function load(
  url: string,
  context: LoadHookContext,
  next: (url: string, context: LoadHookContext) => Promise<LoadFnOutput>,
): Promise<LoadFnOutput> {
  return changed(url, await next(url, context));
}

function loadSync(url: string, context: LoadHookContext, next: (url: string, context: LoadHookContext) => LoadFnOutput): LoadFnOutput {
  return changed(url, next(url, context));
}

function changed(url: string, loaded: LoadFnOutput): LoadFnOutput {
  const { source } = loaded;
  if (source === undefined || source === null || !edits.some(({ file }) => url.endsWith(`/${file}`))) return loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array);
  return { ...loaded, source: mutated(text, url, edits) };
}
