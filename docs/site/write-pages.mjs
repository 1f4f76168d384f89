// Writes all pages of the site into .pages: the texts of the repository, the files that they link
// to, the changelog, and the API of the packages.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, normalize } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { linkTo, packages, pages, root } from './pages.mjs';

const folder = fileURLToPath(new URL('.pages/', import.meta.url));
/** Entries for our own packages only; they carry no promise. */
const INTERNAL = ['transport-core/internal', 'peers/internal'];
/** Files that pages link to and that are no pages. */
const sources = new Set();

rmSync(folder, { recursive: true, force: true });
for (const path of pages)
  write(path.replace(/README\.md$/, 'index.md'), withHead(toSite(textOf(path), path)));
write('index.md', read('docs/site/home.md'));
write('changelog.md', changelog());
for (const path of sources) write(sourceAddress(path), sourcePage(path));
await writeApi();
console.log(`${pages.length} texts, and ${sources.size} files that they link to`);

/** Returns a text; the description of a package is the summary of its README. */
function textOf(path) {
  if (!path.startsWith('packages/')) return read(path);
  const { description } = JSON.parse(read(`${dirname(path)}/package.json`));
  return read(path).replace('\n', `\n\n${description}.\n`);
}

/** Adds the first paragraph as the description, which search engines and previews show. */
function withHead(text) {
  const [, summary = ''] = text.split(/\n{2,}/);
  const plain = summary.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/\s+|`/g, ' ');
  return `---\ndescription: ${JSON.stringify(plain)}\n---\n\n${text}`;
}

/** Returns a text without the notes to the tests, and with links of the site. */
function toSite(text, path) {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) =>
      part.startsWith('```')
        ? part
        : part
            .replace(/<!--[\s\S]*?-->\n?/g, '')
            .replace(/\]\(([^()\s]+)\)/g, (_, link) => `](${target(link, path)})`),
    )
    .join('');
}

/** Returns the target of a link of a text; throws if it leads nowhere. */
function target(link, path) {
  if (/^(\w+:|#)/.test(link)) return link;
  const [, file, anchor] = /^([^#]*)(.*)$/.exec(link);
  const found = normalize(join(dirname(path), file)).replace(/\/$/, '');
  const page = linkTo(found);
  if (page !== undefined) return page + anchor;
  if (!existsSync(join(root, found))) throw new Error(`${path}: ${link} leads nowhere`);
  if (/\.(svg|png|jpg)$/.test(found)) {
    const copy = join(folder, 'public/files', found);
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(join(root, found), copy);
    return `/files/${found}`;
  }
  sources.add(found);
  return `/${sourceAddress(found)}`;
}

function sourceAddress(path) {
  return `source/${path.replaceAll('.', '_')}.md`;
}

/** Returns the page that shows a file, or the names in a folder. */
function sourcePage(path) {
  const head = `---\nsearch: false\n---\n\n# ${basename(path)}\n\n\`${path}\`\n\n`;
  if (statSync(join(root, path)).isDirectory()) {
    const names = readdirSync(join(root, path)).filter((name) => !/^(node_m|dist)/.test(name));
    return `${head}${names.map((name) => `- \`${name}\``).join('\n')}\n`;
  }
  const language = /^\.m?(ts|js|json|md|proto|ya?ml)$/.exec(extname(path))?.[1] ?? 'text';
  return `${head}\`\`\`\`\`\`${language}\n${read(path)}\n\`\`\`\`\`\`\n`;
}

/** Returns the changes that are not released yet, and the changelog of each package. */
function changelog() {
  const notes = readdirSync(join(root, '.changeset')).filter((name) => /^[^R].*\.md$/.test(name));
  const logs = packages.map((name) => `packages/${name}/CHANGELOG.md`);
  return [
    '# Changelog\n\n## Not released yet',
    ...notes.map((name) =>
      read(`.changeset/${name}`)
        .replace(/^---[\s\S]*?\n---\n/, '')
        .trim(),
    ),
    ...logs.filter((path) => existsSync(join(root, path))).map((path) => read(path)),
  ].join('\n\n');
}

/** Writes the API of each package from its declarations and their comments, by TypeDoc. */
async function writeApi() {
  const entries = new Map(
    packages.flatMap((name) =>
      Object.entries(JSON.parse(read(`packages/${name}/package.json`)).exports)
        .filter(
          ([key, { types }]) => types !== undefined && !INTERNAL.includes(name + key.slice(1)),
        )
        .map(([key, { types }]) => [join(root, 'packages', name, types), name + key.slice(1)]),
    ),
  );
  const out = join(folder, 'api');
  const tables = ['parameters', 'interfaceProperties', 'classProperties', 'typeAliasProperties'];
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    tsconfig: join(root, 'docs/site/tsconfig.json'),
    entryPoints: [...entries.keys()],
    name: 'API of the packages',
    readme: 'none',
    router: 'module',
    entryFileName: 'index',
    outputs: [{ name: 'markdown', path: out }],
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
    ...Object.fromEntries(tables.map((each) => [`${each}Format`, 'table'])),
    sort: ['kind', 'source-order'],
    logLevel: 'Warn',
  });
  const points = app.getEntryPoints() ?? [];
  for (const point of points) point.displayName = entries.get(point.sourceFile.fileName);
  await app.generateOutputs(await app.converter.convert(points));
  if (app.logger.hasErrors()) throw new Error('TypeDoc failed');
  // The site shows tags as text, and has no anchors for properties.
  for (const name of readdirSync(out, { recursive: true })) {
    if (!name.endsWith('.md')) continue;
    const text = readFileSync(join(out, name), 'utf8')
      .replace(/<a id="[^"]*"><\/a> ?/g, '')
      .replace(/<br *\/?>/g, ' ')
      .replace(/#property-[^()\s]*\)/g, ')')
      .replace(/\]\(\)/g, ']');
    writeFileSync(join(out, name), text);
  }
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

function write(path, text) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
