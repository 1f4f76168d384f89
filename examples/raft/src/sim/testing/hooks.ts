// Module hooks of a mutant's process. They return the edited source of a file, whoever imports it,
// and load a package's modules individually where Node would load one bundled file. The files on
// disk stay as they are.

import type {
  LoadFnOutput,
  LoadHookContext,
  ResolveFnOutput,
  ResolveHookContext,
} from 'node:module';
import * as module from 'node:module';
import { type Edit, mutated } from './mutant.ts';

type Edits = readonly Edit[];
let edits: Edits = [];

/** Applies the edits to every module that is loaded from now on. */
export function mutate(wanted: Edits): void {
  const { registerHooks } = module as {
    registerHooks?: (hooks: { load: typeof loadSync; resolve: typeof resolveSync }) => void;
  };
  edits = wanted;
  if (registerHooks !== undefined) registerHooks({ load: loadSync, resolve: resolveSync });
  else module.register(import.meta.url, { data: wanted });
}

/** Called if hooks run in a thread of their own (Node 20), where this file is loaded again. */
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

function loadSync(
  url: string,
  context: LoadHookContext,
  next: (url: string, context: LoadHookContext) => LoadFnOutput,
): LoadFnOutput {
  return changed(url, next(url, context));
}

export async function resolve(
  specifier: string,
  context: ResolveHookContext,
  next: (specifier: string, context: ResolveHookContext) => Promise<ResolveFnOutput>,
): Promise<ResolveFnOutput> {
  return unbundled(await next(specifier, context));
}

function resolveSync(
  specifier: string,
  context: ResolveHookContext,
  next: (specifier: string, context: ResolveHookContext) => ResolveFnOutput,
): ResolveFnOutput {
  return unbundled(next(specifier, context));
}

function unbundled(resolved: ResolveFnOutput): ResolveFnOutput {
  return {
    ...resolved,
    url: resolved.url.replace(/\/dist\/bundle\/(index[^/]*\.js)$/, '/dist/$1'),
  };
}

function changed(url: string, loaded: LoadFnOutput): LoadFnOutput {
  const { source } = loaded;
  if (
    source === undefined ||
    source === null ||
    !edits.some(({ file }) => url.endsWith(`/${file}`))
  )
    return loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array);
  return { ...loaded, source: mutated(text, url, edits) };
}
