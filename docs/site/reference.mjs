// Writes the API of each package from its declarations and their comments, by TypeDoc.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';
import { packages, root } from './pages.mjs';

/** Entries for our own packages only; they carry no promise. */
const INTERNAL = ['transport-core/internal', 'peers/internal'];

/** Writes the pages into a folder. The packages must be built. */
export async function writeApi(folder) {
  const entries = packages.flatMap(entriesOf);
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    tsconfig: join(root, 'docs/site/tsconfig.json'),
    entryPoints: entries.map(({ declarations }) => declarations),
    name: 'API of the packages',
    readme: 'none',
    router: 'module',
    entryFileName: 'index',
    outputs: [{ name: 'markdown', path: folder }],
    skipErrorChecking: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeInternal: true,
    excludeExternals: true,
    disableSources: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    indexFormat: 'table',
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    enumMembersFormat: 'table',
    sort: ['kind', 'source-order'],
    logLevel: 'Warn',
  });
  const points = app.getEntryPoints() ?? [];
  for (const point of points) {
    const { fileName } = point.sourceFile;
    const entry = entries.find(({ declarations }) => declarations === fileName);
    if (entry === undefined) throw new Error(`${fileName} is no entry of a package`);
    point.displayName = entry.name;
  }
  const project = app.converter.convert(points);
  await app.generateOutputs(project);
  if (app.logger.hasErrors()) throw new Error('TypeDoc failed');
  return entries.map(({ name }) => name);
}

/** Returns the entries of a package: their names and the files of their declarations. */
function entriesOf(name) {
  const { exports } = JSON.parse(
    readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
  );
  return Object.entries(exports)
    .filter(([key, { types }]) => key !== './package.json' && types !== undefined)
    .map(([key, { types }]) => ({
      name: name + key.slice(1),
      declarations: join(root, 'packages', name, types),
    }))
    .filter((entry) => !INTERNAL.includes(entry.name));
}
