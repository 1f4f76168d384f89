// Builds the pages that packages serve: Vite bundles each page, with its scripts, styles and
// workers, into one HTML file, and lists the licenses of the libraries in it. A page is built again
// only if one of its inputs has changed. Run by build.mjs, after tsc.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, root } from './workspace.mjs';

/** The package that serves the pages. */
const FOLDER = 'packages/admin';

/**
 * The pages. `page/<name>/index.html` becomes `dist/<name>/page.html`; `uses` are the other
 * packages whose code goes into the page.
 */
const PAGES = [
  { name: 'dashboard', uses: ['transport-core', 'transport-ws', 'telemetry'] },
  { name: 'replay', uses: [] },
];

/** Builds all pages. */
export async function buildPages() {
  for (const page of PAGES) {
    const dist = join(root, FOLDER, 'dist', page.name);
    const record = join(dist, 'page.inputs');
    const inputs = hashOfInputs(page);
    const isFresh =
      existsSync(join(dist, 'page.html')) &&
      existsSync(record) &&
      readFileSync(record, 'utf8') === inputs;
    if (isFresh) continue;
    const { html, licenses } = await bundle(page.name);
    writeFileSync(join(dist, 'page.html'), html);
    writeFileSync(join(dist, 'page.licenses.md'), licenses);
    writeFileSync(record, inputs);
  }
}

/** Returns a hash of all files that a page may be made of, and of the versions of libraries. */
function hashOfInputs({ name: page, uses }) {
  const hash = createHash('sha256');
  const add = (path) => hash.update(path).update(readFileSync(join(root, path)));
  for (const name of ['pnpm-lock.yaml', 'scripts/pages.mjs', `${FOLDER}/package.json`]) add(name);
  const folders = [
    `${FOLDER}/page/${page}`,
    `${FOLDER}/dist`,
    ...uses.map((name) => `packages/${name}/dist`),
  ];
  for (const each of folders)
    for (const name of filesBelow(join(root, each)).sort())
      if (/\.(js|html|css)$/.test(name) && !/(^|\/)(page\.html$|bundle\/)|\.test\.js$/.test(name))
        add(join(each, name));
  return hash.digest('hex');
}

/** Returns a page as one HTML text, and the licenses of the libraries in it. */
async function bundle(page) {
  // Loaded only when it is needed, because it takes a while.
  const { build } = await import('vite');
  const inWorkers = new Set();
  const { output } = await build({
    root: join(root, FOLDER),
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: Number.POSITIVE_INFINITY,
      license: { fileName: 'licenses.md' },
      rollupOptions: { input: join(root, FOLDER, 'page', page, 'index.html') },
    },
    worker: { format: 'es', plugins: () => [collectModules(inWorkers)] },
  });
  const find = (end) => output.filter(({ fileName }) => fileName.endsWith(end));
  const [file] = find('.html');
  const script = find('.js').map(({ code }) => code);
  const style = find('.css').map(({ source }) => String(source));
  if (file === undefined || script.length !== 1 || style.length > 1)
    throw new Error(`the page of ${page} is not one script and one style`);
  const code = script[0].replaceAll('</script', '<\\/script').trim();
  const html = String(file.source)
    // Functions, because '$' has a meaning in replacement texts.
    .replace(
      /<script type="module"[^>]*><\/script>/,
      () => `<script type="module">${code}</script>`,
    )
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style[0] ?? ''}</style>`);
  const licenses = [String(find('licenses.md')[0]?.source ?? ''), ...licensesOf(inWorkers)];
  return { html, licenses: licenses.join('\n') };
}

/** A plugin that collects the modules of workers, which Vite's list of licenses leaves out. */
function collectModules(modules) {
  return {
    name: 'collect-modules',
    generateBundle(_, bundle) {
      for (const { moduleIds = [] } of Object.values(bundle))
        for (const id of moduleIds) modules.add(id);
    },
  };
}

/** Returns the licenses of the libraries that modules belong to, in the form of Vite's list. */
function licensesOf(modules) {
  const folders = new Set(
    [...modules].map((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter(Boolean),
  );
  return [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no file with its license`);
    const text = readFileSync(join(folder, file), 'utf8').trim();
    return `## ${name} - ${version} (${license})\n\n${text}\n`;
  });
}
