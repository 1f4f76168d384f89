// Module hooks of a fuzzing process: they add counters to the modules of our packages, and load
// those modules one by one instead of as one bundle.

import type {
  LoadFnOutput,
  LoadHookContext,
  ResolveFnOutput,
  ResolveHookContext,
} from 'node:module';
import * as module from 'node:module';
import { countEdges } from './edges.ts';

/** Counts the edges of every module that is loaded from now on. */
export function instrument(): void {
  module.register(import.meta.url);
}

export async function load(
  url: string,
  context: LoadHookContext,
  next: (url: string, context: LoadHookContext) => Promise<LoadFnOutput>,
): Promise<LoadFnOutput> {
  const loaded = await next(url, context);
  const { source } = loaded;
  if (
    loaded.format !== 'module' ||
    source === undefined ||
    source === null ||
    !OURS.test(url) ||
    NOT_MEASURED.test(url)
  )
    return loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source as Uint8Array);
  const counted = countEdges(
    text,
    '__edges',
    (edges) => `const __edges=globalThis.__countEdges(${edges});`,
  );
  return { ...loaded, source: counted.source };
}

export async function resolve(
  specifier: string,
  context: ResolveHookContext,
  next: (specifier: string, context: ResolveHookContext) => Promise<ResolveFnOutput>,
): Promise<ResolveFnOutput> {
  const resolved = await next(specifier, context);
  return {
    ...resolved,
    url: resolved.url.replace(/\/dist\/bundle\/(index[^/]*\.js)$/, '/dist/$1'),
  };
}

/** The modules that our packages publish, without their tests. */
const OURS = /\/packages\/[^/]+\/dist\/[^?]*\.js$/;
const NOT_MEASURED = /\/testing\/|\.test\.js$/;
