// Builds the pages that packages serve: Vite bundles each page, with its scripts, styles and
// workers, into one HTML file, and this script lists the licenses of the libraries in it. A page is
// built again only if one of its inputs is newer. Run by build.mjs, after tsc.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, manifestOf, root } from './workspace.mjs';

/** The package that serves the pages. `page/<name>/index.html` becomes `dist/<name>/page.html`. */
const FOLDER = join(root, 'packages/admin');
const PAGES = ['dashboard', 'replay'];
/** The packages whose code goes into the pages. */
const USED = ['admin', 'transport-core', 'transport-ws', 'telemetry'];

/** Builds all pages. */
export async function buildPages() {
  const changed = Math.max(...inputs().map((path) => statSync(join(root, path)).mtimeMs));
  for (const page of PAGES) {
    const file = join(FOLDER, 'dist', page, 'page.html');
    if (existsSync(file) && changed < statSync(file).mtimeMs) continue;
    const modules = new Set();
    writeFileSync(file, await bundle(page, modules));
    writeFileSync(join(FOLDER, 'dist', page, 'page.licenses.md'), licensesOf(modules));
  }
}

/** Returns what pages are made of: tsc writes its `.tsbuildinfo` with each change of a package. */
function inputs() {
  const folders = ['packages/admin/page', ...USED.map((name) => `packages/${name}/dist`)];
  const files = folders.flatMap((folder) =>
    filesBelow(join(root, folder)).map((name) => join(folder, name)),
  );
  return [
    ...files.filter((file) => !file.includes('/dist/') || file.endsWith('buildinfo')),
    ...['pnpm-lock.yaml', 'scripts/pages.mjs', 'packages/admin/package.json'],
  ];
}

/** Returns a page as one HTML text, and adds the paths of what is in it to `modules`. */
async function bundle(page, modules) {
  // Loaded only when it is needed, because it takes a while.
  const { build } = await import('vite');
  const { output } = await build({
    root: FOLDER,
    configFile: false,
    logLevel: 'error',
    plugins: [collectModules(modules)],
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: Number.POSITIVE_INFINITY,
      rollupOptions: { input: join(FOLDER, 'page', page, 'index.html') },
    },
    worker: { format: 'es', plugins: () => [collectModules(modules)] },
  });
  const find = (end) => output.filter(({ fileName }) => fileName.endsWith(end));
  const [file] = find('.html');
  const script = find('.js').map(({ code }) => code);
  const style = find('.css').map(({ source }) => String(source));
  if (file === undefined || script.length !== 1 || style.length > 1)
    throw new Error(`the page of ${page} is not one script and one style`);
  const code = script[0].replaceAll('</script', '<\\/script').trim();
  // Functions, because '$' has a meaning in replacement texts.
  return String(file.source)
    .replace(/(<script type="module")[^>]*>(?=<\/script>)/, (_, start) => `${start}>${code}`)
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${style[0] ?? ''}</style>`);
}

/** A plugin that collects modules. Vite's own list of licenses leaves out those of workers. */
function collectModules(modules) {
  return {
    name: 'collect-modules',
    renderChunk(_, { moduleIds }) {
      for (const id of moduleIds) modules.add(id);
    },
  };
}

/** Returns the licenses of the libraries that modules belong to, as Markdown. */
function licensesOf(modules) {
  const folders = new Set(
    [...modules].map((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0]).filter(Boolean),
  );
  const licenses = [...folders].sort().map((folder) => {
    const { name, version, license } = manifestOf(folder);
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no file with its license`);
    const text = readFileSync(join(folder, file), 'utf8').trim();
    return `## ${name} - ${version} (${license})\n\n${text}\n`;
  });
  return licenses.join('\n');
}
