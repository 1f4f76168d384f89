// Writes all pages of the site into .pages: the texts of the repository, the list of options, the
// API of the packages, and the files that pages link to. Fails if a page is incomplete.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anchorsOf } from './anchors.mjs';
import { compose, sidebars } from './compose.mjs';
import { partsOf, problemsOf, sourceAddress, sourcePage, withoutTags } from './markdown.mjs';
import { optionsPage } from './options.mjs';
import { generated, root } from './pages.mjs';
import { writeApi } from './reference.mjs';

const folder = fileURLToPath(new URL('.pages/', import.meta.url));
rmSync(folder, { recursive: true, force: true });

const { pages, attachments } = compose();
pages.set(generated.options.path, await optionsPage());
await readApi(pages);

const incomplete = [...pages]
  .filter(([address]) => address !== 'index')
  .flatMap(([address, text]) => problemsOf(text).map((problem) => `${address} ${problem}`));
if (incomplete.length > 0) throw new Error(incomplete.join('\n'));

for (const [address, text] of pages) write(`${address}.md`, withHead(address, text));
for (const path of attachments.listed) write(`${sourceAddress(path)}.md`, sourcePage(path));
for (const path of attachments.copied) {
  mkdirSync(dirname(join(folder, 'public/files', path)), { recursive: true });
  cpSync(join(root, path), join(folder, 'public/files', path));
}
write('sidebar.json', JSON.stringify(sidebars(pages)));
console.log(`${pages.size} pages, ${attachments.listed.size} files that they link to`);

/** Adds the API of each package, with a summary and a next step. */
async function readApi(pages) {
  const out = fileURLToPath(new URL('.api/', import.meta.url));
  rmSync(out, { recursive: true, force: true });
  const all = await writeApi(out);
  for (const { name, namespace, text: whole } of all) {
    const text = whole
      .replace(/^# .*\n/, '')
      .replace(/<a id="[^"]*"><\/a> ?/g, '')
      .replace(/\[([^\]]*)\]\(#property-[^()\s]*\)/g, '$1')
      .replace(/(\]\([^()\s#]+)#property-[^()\s]*\)/g, '$1)');
    const [first] = name.split('/');
    const [title, subject] =
      namespace === undefined
        ? [`API of @trunkline/${name}`, `\`@trunkline/${name}\``]
        : [
            `API of ${namespace} in @trunkline/${dirname(name)}`,
            `the namespace \`${namespace}\` of \`@trunkline/${dirname(name)}\``,
          ];
    pages.set(
      `reference/api/${name}`,
      [
        `# ${title}`,
        '',
        `This page lists the public names of ${subject}, with their types.`,
        '',
        withoutTags(text).trim(),
        '',
        `**Next:** [the page of the package](/reference/packages/${first}).`,
        '',
      ].join('\n'),
    );
  }
  for (const { name } of all) {
    const address = `reference/api/${name}`;
    pages.set(address, withAnchors(pages.get(address), address, pages));
  }
  pages.set(generated.api.path, apiIndex(all));
}

/**
 * Returns the text of an API page with anchors that exist. TypeDoc numbers the anchors of equal full
 * names (`ClusterSnapshot` and `Cluster.snapshot`), but VitePress those of equal headings.
 */
function withAnchors(text, address, pages) {
  return text.replace(/\]\(([^()\s#]*)#([^()\s]+)\)/g, (_, page, anchor) => {
    const target = page === '' ? address : join(dirname(address), page).replace(/\.md$/, '');
    const anchors = anchorsOf(pages.get(target.replace(/^\//, '')) ?? '');
    const found = [anchor, anchor.replace(/-\d+$/, '')].find((name) => anchors.has(name));
    if (found === undefined) throw new Error(`${address}: ${page}#${anchor} leads nowhere`);
    return `](${page}#${found})`;
  });
}

function apiIndex(all) {
  return [
    '# API of the packages',
    '',
    'These pages list the public names of each package, from the comments in its source.',
    '',
    ...all.map(({ name, namespace }) =>
      namespace === undefined
        ? `- [\`@trunkline/${name}\`](/reference/api/${name})`
        : `  - [\`${namespace}\`](/reference/api/${name})`,
    ),
    '',
    '**Next:** [options](/reference/options) has the units, defaults and rules of all options.',
    '',
  ].join('\n');
}

/**
 * Puts the summary of a page into its head, where search engines and previews find it. The list of
 * options has a class, because its wide tables have a style of their own.
 */
function withHead(address, text) {
  if (text.startsWith('---\n')) return text;
  const { title, summary } = partsOf(text);
  const plain = (words) => words.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
  const head = [
    `title: ${JSON.stringify(plain(title))}`,
    `description: ${JSON.stringify(plain(summary))}`,
  ];
  if (address === generated.options.path) head.push('pageClass: options');
  return `---\n${head.join('\n')}\n---\n\n${text}`;
}

function write(path, text) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
