// Builds the pages that packages serve: Vite bundles each page, with its scripts, styles and
// workers, into one HTML file. A page is built again only if one of its inputs has changed. Run by
// build.mjs, after tsc.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, root } from './workspace.mjs';

/**
 * The pages. `page/index.html` of a folder becomes its `dist/page.html`; `uses` are the packages
 * whose code goes into the page.
 */
const PAGES = [
  {
    folder: 'packages/dashboard',
    uses: ['transport-core', 'transport-ws', 'mutual-tls', 'admin', 'metrics'],
  },
];

/** Builds all pages. */
export async function buildPages() {
  for (const page of PAGES) {
    const dist = join(root, page.folder, 'dist');
    const record = join(dist, 'page.inputs');
    const inputs = hashOfInputs(page);
    const isFresh =
      existsSync(join(dist, 'page.html')) &&
      existsSync(record) &&
      readFileSync(record, 'utf8') === inputs;
    if (isFresh) continue;
    writeFileSync(join(dist, 'page.html'), await bundle(join(root, page.folder)));
    writeFileSync(record, inputs);
  }
}

/** Returns a hash of all files that a page may be made of, and of the versions of libraries. */
function hashOfInputs({ folder, uses }) {
  const hash = createHash('sha256');
  const add = (path) => hash.update(path).update(readFileSync(join(root, path)));
  for (const name of ['pnpm-lock.yaml', 'scripts/pages.mjs', `${folder}/package.json`]) add(name);
  const folders = [
    `${folder}/page`,
    `${folder}/dist`,
    ...uses.map((name) => `packages/${name}/dist`),
  ];
  for (const each of folders)
    for (const name of filesBelow(join(root, each)).sort())
      if (/\.(js|html|css)$/.test(name) && !/^(page\.html|bundle\/)|\.test\.js$/.test(name))
        add(join(each, name));
  return hash.digest('hex');
}

/** Returns the page of a folder as one HTML text. */
async function bundle(folder) {
  // Loaded only when it is needed, because it takes a while.
  const { build } = await import('vite');
  const { output } = await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: Number.POSITIVE_INFINITY,
      rollupOptions: { input: join(folder, 'page/index.html') },
    },
    worker: { format: 'es' },
  });
  const find = (end) => output.filter(({ fileName }) => fileName.endsWith(end));
  const [page] = find('.html');
  const script = find('.js').map(({ code }) => code);
  const style = find('.css').map(({ source }) => String(source));
  if (page === undefined || script.length !== 1 || style.length > 1)
    throw new Error(`the page of ${folder} is not one script and one style`);
  const code = script[0].replaceAll('</script', '<\\/script').trim();
  return (
    String(page.source)
      // Functions, because '$' has a meaning in replacement texts.
      .replace(
        /<script type="module"[^>]*><\/script>/,
        () => `<script type="module">${code}</script>`,
      )
      .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style[0] ?? ''}</style>`)
  );
}
