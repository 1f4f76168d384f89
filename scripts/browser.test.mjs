// Runs a simulation in a browser: its hash must equal the recorded one, which Node's tests check
// too. Run by `test workspace`.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { build } from 'esbuild';
import { root } from './workspace.mjs';

const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
const title = 'Chromium gives a simulation the hash that is written down';

if (chromium === undefined) {
  test.skip(`${title} (no chromium here: apt-get install chromium)`, () => {});
} else {
  test(title, async (t) => {
    t.timeout(120_000);
    const page = `<!doctype html><meta charset="utf-8"><title>running</title><script type="module">${await bundled()}</script>`;
    let tell;
    const told = new Promise((resolve) => (tell = resolve));
    const server = createServer((request, response) => {
      if (request.method === 'POST') tell(text(request));
      response.setHeader('content-type', 'text/html').end(request.method === 'POST' ? '' : page);
    }).listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');

    const profile = mkdtempSync(join(tmpdir(), 'trunkline-browser-'));
    const address = `http://127.0.0.1:${server.address().port}/`;
    const browser = spawn(
      chromium,
      ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, address],
      { stdio: 'ignore' },
    );
    const ended = once(browser, 'exit');
    t.teardown(async () => {
      browser.kill();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    });

    const { hashes, golden, error } = JSON.parse(
      await Promise.race([told, ended.then(([code]) => `{ "error": "Chromium ended (${code})" }`)]),
    );
    t.is(error, undefined);
    t.deepEqual(hashes, golden);
  });
}

/**
 * Bundles the page, which reports to the server when its run has ended, some time after it has
 * loaded.
 */
async function bundled() {
  const contents = `
    import { GOLDEN, goldenHash } from './packages/simulation/dist/testing/golden.js';
    const tell = (result) => fetch('/', { method: 'POST', body: JSON.stringify(result) });
    const hashes = {};
    try {
      for (const level of Object.keys(GOLDEN)) hashes[level] = await goldenHash(level, 1);
      await tell({ hashes, golden: GOLDEN });
    } catch (error) {
      await tell({ error: String(error?.stack) });
    }`;
  const options = {
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  };
  const result = await build({ stdin: { contents, resolveDir: root }, ...options });
  return result.outputFiles[0].text.replaceAll('</script', '<\\/script');
}
