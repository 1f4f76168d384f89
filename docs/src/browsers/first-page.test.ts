// Builds the first page of docs/browsers.md as the text says, and opens it in Chromium.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const inChromium = executablePath === undefined ? test.skip : test;
const reason = executablePath === undefined ? ' (no Chromium here: apt-get install chromium)' : '';

inChromium(`the first page calls its server, which calls it back${reason}`, async (t) => {
  t.timeout(120_000);
  const folder = await mkdtemp(join(tmpdir(), 'first-page-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const files = join(import.meta.dirname, 'first');
  await build({
    entryPoints: [join(files, 'page.js')],
    bundle: true,
    format: 'esm',
    outfile: join(folder, 'page.js'),
  });
  const port = String(await freePort());
  const server = spawn(process.execPath, [join(files, 'server.js'), port], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => server.kill());
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ['--disable-gpu'],
  });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  const printed: string[] = [];
  const done = new Promise<void>((resolve) => {
    page.on('console', (message) => {
      if (printed.push(message.text()) === 2) resolve();
    });
  });
  await page.goto(url);
  await done;
  t.deepEqual(printed, ['the server says: tea is ready', 'welcome, Ada']);
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
