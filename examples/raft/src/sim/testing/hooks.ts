// Module hooks of a mutant's process. They return the edited source of a file, whoever imports it,
// and load a package's modules individually where Node would load one bundled file.

import type { LoadHook, ResolveHook } from 'node:module';
import { type Edit, edited } from './mutants.ts';

const edits = JSON.parse(process.env['EDITS'] ?? '[]') as readonly Edit[];

export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context);
  const own = edits.filter(({ file }) => url.endsWith(`/${file}`));
  if (own.length === 0) return loaded;
  return { ...loaded, source: edited(Buffer.from(loaded.source as Uint8Array).toString(), own) };
};

export const resolve: ResolveHook = async (specifier, context, next) => {
  const { url, ...rest } = await next(specifier, context);
  return { ...rest, url: url.replace(/\/dist\/bundle\/(index[^/]*\.js)$/, '/dist/$1') };
};
