// Checks the pages of the documentation site. The site itself is built by `pnpm run docs`, which also
// checks its links.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { read, root, texts } from './texts.ts';

const url = pathToFileURL(join(root, 'docs/site/pages.mjs')).href;
const { linkTo, pages } = (await import(url)) as {
  linkTo(path: string): string | undefined;
  pages: readonly string[];
};

test('every text of the repository is a page, once', (t) => {
  for (const path of texts.filter((each) => each !== 'examples/local-nats/README.md'))
    t.truthy(linkTo(path), `docs/site/pages.mjs does not name ${path}`);
  t.is(new Set(pages).size, pages.length);
});

test('every page has a title, a summary of one sentence and a next step', (t) => {
  for (const path of pages.filter((each) => each.startsWith('docs/'))) {
    const [title = '', summary = '', ...rest] = read(path)
      .trim()
      .split(/\n{2,}/);
    t.regex(title, /^# .+$/, path);
    const plain = summary
      .replace(/\s+/g, ' ')
      .replace(/`[^`]*`/g, 'code')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    t.regex(plain, /^(?!.*[.!?] +[A-Z])[^|#<!-].{1,238}\.$/, path);
    t.regex(rest.at(-1) ?? '', /^\*\*Next:\*\* [\s\S]*\]\(/, path);
  }
});
