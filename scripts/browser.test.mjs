// A simulation in a browser: its hash must be the one that is written down, which Node's tests hold to as well.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import { root, run } from './workspace.mjs';

const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0);
const title = 'Chromium gives a simulation the hash that is written down';

if (chromium === undefined) {
  test.skip(`${title} (no chromium here: apt-get install chromium)`, () => {});
} else {
  test(title, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-browser-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const page = join(folder, 'page.html');
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><title>running</title><body></body><script type="module">${await bundled()}</script>`);
    const args = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`, '--dump-dom', `file://${page}`];
    const { code, output } = await run(chromium, args, { capture: 'all' });
    t.is(code, 0);
    const found = /<body>(\{.*?\})<\/body>/.exec(output)?.[1];
    t.truthy(found, `the page is not through: ${output.slice(-500)}`);
    const { hashes, golden } = JSON.parse(found);
    t.deepEqual(hashes, golden);
  });
}

/** All of a run happens in microtasks, so it is over before the page has loaded. */
async function bundled() {
  const contents = `
    import { GOLDEN, goldenHash } from './packages/transport-inmem/dist/simulation/testing/golden.js';
    const hashes = {};
    for (const level of Object.keys(GOLDEN)) hashes[level] = await goldenHash(level, 1);
    document.body.textContent = JSON.stringify({ hashes, golden: GOLDEN });`;
  const options = { bundle: true, format: 'esm', platform: 'browser', target: 'es2022', write: false };
  const result = await build({ stdin: { contents, resolveDir: root }, ...options });
  return result.outputFiles[0].text.replaceAll('</script', '<\\/script');
}
