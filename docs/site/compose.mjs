// Composes the pages of the site from the texts of the repository.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changelog } from './changelog.mjs';
import { Attachments, partsOf, toSite } from './markdown.mjs';
import { addresses, generated, guides, root, sections } from './pages.mjs';

/**
 * Returns the text of each page by its address, and the files that pages link to. The list of
 * options and the API of the packages are missing: they are made from compiled code.
 *
 * @throws Error for a link that leads nowhere.
 */
export function compose() {
  const known = addresses();
  const attachments = new Attachments();
  const pages = new Map([
    ['index', toSite(read('docs/site/home.md'), 'docs/site/home.md', known, attachments)],
  ]);
  for (const { path, groups } of sections) {
    for (const [, entries] of groups) {
      for (const entry of entries) {
        if (!Array.isArray(entry)) continue;
        const [source, name] = entry;
        const text = source.startsWith('packages/') ? packageText(source) : read(source);
        pages.set(`${path}/${name}`, toSite(text, source, known, attachments));
      }
    }
  }
  const { path } = generated.changelog;
  pages.set(path, toSite(changelog(), '.changeset/README.md', known, attachments));
  return { pages, attachments };
}

/** Returns the sidebar of each section: groups of links with the titles of their pages. */
export function sidebars(pages) {
  const titleOf = (address) => partsOf(pages.get(address)).title.replaceAll('`', '');
  return Object.fromEntries(
    sections.map(({ path, groups }) => [
      `/${path}/`,
      groups.map(([text, entries]) => ({
        text,
        items: entries.map((entry) =>
          Array.isArray(entry)
            ? { text: titleOf(`${path}/${entry[1]}`), link: linkOf(`${path}/${entry[1]}`) }
            : { text: entry.title, link: linkOf(entry.path) },
        ),
      })),
    ]),
  );
}

/** Returns the link of an address: that of 'guides/index' is '/guides/'. */
export function linkOf(address) {
  return `/${address.replace(/(^|\/)index$/, '$1')}`;
}

/**
 * Returns the README of a package as a page: its summary is the package's description, and it leads
 * to the API and to the guide.
 */
function packageText(source) {
  const name = source.split('/')[1];
  const { description } = JSON.parse(read(`packages/${name}/package.json`));
  const [heading, ...rest] = read(source).split('\n');
  const guide = guides[name] ?? 'docs/start.md';
  const { title } = partsOf(read(guide));
  const next = `**Next:** [the guide “${title}”](../../${guide}), or [the API](site:/reference/api/${name}).`;
  return [heading, '', `${description}.`, ...rest, '', next, ''].join('\n');
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}
