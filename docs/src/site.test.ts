// Checks the pages of the documentation site that are made from texts of the repository. The site
// itself, with the list of options and the API of the packages, is built by `pnpm run docs`.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { root, texts } from './texts.ts';

interface Composed {
  readonly pages: ReadonlyMap<string, string>;
}

const load = (name: string) => import(pathToFileURL(join(root, 'docs/site', name)).href);
const { compose } = (await load('compose.mjs')) as { compose(): Composed };
const { problemsOf } = (await load('markdown.mjs')) as { problemsOf(text: string): string[] };
const { addresses, sections } = (await load('pages.mjs')) as {
  addresses(): ReadonlyMap<string, string>;
  sections: readonly { readonly title: string }[];
};

test('every page has a title, a summary of one sentence and a next step', (t) => {
  const { pages } = compose(); // throws for a link that leads nowhere
  t.true(pages.size > 80);
  for (const [address, text] of pages)
    if (address !== 'index') t.deepEqual(problemsOf(text), [], address);
});

test('every text of the repository is a page', (t) => {
  const known = addresses();
  for (const path of texts.filter((each) => each !== 'examples/local-nats/README.md'))
    t.true(known.has(path), `docs/site/pages.mjs does not name ${path}`);
});

test('no two texts have the same address', (t) => {
  const all = [...addresses()].filter(([path]) => path !== 'docs/README.md').map(([, to]) => to);
  t.deepEqual(all, [...new Set(all)]);
});

test('the sections are those of the navigation', (t) =>
  t.deepEqual(
    sections.map(({ title }) => title),
    ['Start', 'Guides', 'Recipes', 'Reference', 'Explanations', 'Project'],
  ));

test('an incomplete page is found', (t) => {
  t.deepEqual(problemsOf('# A\n\nOne sentence.\n\n**Next:** [b](b.md).\n'), []);
  t.is(problemsOf('# A\n\nOne sentence.\n\n[b](b.md)\n').length, 1);
  t.is(problemsOf('# A\n\nOne sentence. Another one.\n\n**Next:** [b](b.md).\n').length, 1);
  t.is(problemsOf('# A\n\nNo sentence\n\n**Next:** [b](b.md).\n').length, 1);
  t.is(problemsOf('A\n\nOne sentence.\n\n**Next:** b.\n').length, 2);
});
