// Writes the API of each package from its declarations and their comments, by TypeDoc.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';
import { Application } from 'typedoc';
import { packages, root } from './pages.mjs';

/** Entries for our own packages only; they carry no promise. */
const INTERNAL = ['transport-core/internal', 'peers/internal'];

/**
 * Writes the pages into a folder, and returns them: `{ name, namespace, text }`. The page of an
 * entry has the name of the entry and no namespace. The page of a namespace of that entry has the
 * name 'entry/namespace'. Links between pages are relative to these names. The packages must be
 * built.
 */
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
  return entries.flatMap(({ name }) => pagesOf(folder, name));
}

/** Returns the page of an entry, and those of its namespaces. */
function pagesOf(folder, name) {
  const files = readdirSync(folder, { recursive: true }).map((file) => file.replaceAll('\\', '/'));
  return files
    .filter((file) => file.endsWith('.md'))
    .filter((file) => pageName(file) === name || NAMESPACE.exec(file)?.[1] === name)
    .sort((a, b) => pageName(a).length - pageName(b).length)
    .map((file) => ({
      name: pageName(file),
      namespace: NAMESPACE.exec(file)?.[2],
      text: readFileSync(join(folder, file), 'utf8').replace(
        /\]\(([^()\s#:]+\.md)/g,
        (_, link) => `](${relativeLink(pageName(file), pageName(join(dirname(file), link)))}`,
      ),
    }));
}

/** TypeDoc writes the pages of an entry with namespaces into a folder of their own. */
const NAMESPACE = /^(.+)\/namespaces\/([^/]+)\.md$/;

function pageName(file) {
  return file.replace(NAMESPACE, '$1/$2').replace(/(\/index)?\.md$/, '');
}

function relativeLink(from, to) {
  return relative(dirname(from), `${to}.md`);
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
