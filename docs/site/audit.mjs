// Examines the built site in Chromium, as readers with other needs use it: axe-core on every page,
// in light and dark colors and at the width of a phone, and Lighthouse on a few pages. Lighthouse is
// run by npx. Fails for a violation, a page that is wider than a phone, and a score below 95.
//
//   pnpm run docs && pnpm run docs:audit [part of the addresses]

import { spawn } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './pages.mjs';

const CHROMIUM = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const LIGHTHOUSE = ['', 'start/', 'guides/peers.html', 'reference/options.html'];
const LEAST = 0.95;
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

/** Types of the files that a page loads, by their extensions. */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
};

const dist = fileURLToPath(new URL('dist/', import.meta.url));
if (!existsSync(dist)) throw new Error('the site is not built: run `npx pnpm@12 run docs` first');
const { chromium } = createRequire(join(root, 'browser/package.json'))('playwright-core');
const axe = readFileSync(
  fileURLToPath(new URL('node_modules/axe-core/axe.min.js', import.meta.url)),
  'utf8',
);

const server = createServer(serve);
await new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
const site = `http://127.0.0.1:${server.address().port}/`;
const failures = [...(await examine(process.argv[2] ?? '')), ...(await score())];
server.close();
server.closeAllConnections();
for (const failure of failures) console.log(failure);
console.log(failures.length === 0 ? 'audit: all well' : `audit: ${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Runs axe-core on each page whose address contains `part`; returns what it found. */
async function examine(part) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const found = [];
  const addresses = readdirSync(dist, { recursive: true })
    .filter((name) => name.endsWith('.html') && !name.startsWith('source/') && name.includes(part))
    .sort();
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ colorScheme, viewport: DESKTOP });
    for (const address of addresses) {
      await page.setViewportSize(DESKTOP);
      await page.goto(site + address, { waitUntil: 'load' });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      for (const { id, nodes } of violations)
        found.push(
          `${address} (${colorScheme}): ${id}: ${nodes.length} × ${nodes[0].html.slice(0, 160)}`,
        );
      if (colorScheme === 'dark') continue;
      await page.setViewportSize(PHONE);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > PHONE.width)
        found.push(`${address}: ${width} px wide on a phone of ${PHONE.width}`);
    }
    await page.close();
  }
  await browser.close();
  console.log(`axe-core: ${addresses.length} pages, light and dark`);
  return found;
}

/** Runs Lighthouse on a few pages; returns the scores that are too low. */
async function score() {
  const found = [];
  const out = join(mkdtempSync(join(tmpdir(), 'trunkline-audit-')), 'report.json');
  for (const address of LIGHTHOUSE) {
    const status = await lighthouse(site + address, out);
    if (status !== 0) {
      found.push(`${address}: Lighthouse failed with exit code ${status}`);
      continue;
    }
    const { categories } = JSON.parse(readFileSync(out, 'utf8'));
    const scores = Object.values(categories).map(({ title, score }) => `${title} ${score * 100}`);
    console.log(`Lighthouse: /${address}: ${scores.join(', ')}`);
    for (const { title, score } of Object.values(categories))
      if (score < LEAST) found.push(`${address}: ${title} is ${score * 100}`);
  }
  return found;
}

/** Writes the report of a page; resolves to the exit code. This process serves the page meanwhile. */
function lighthouse(url, out) {
  const args = [
    '--yes',
    'lighthouse@12',
    url,
    '--only-categories=accessibility,best-practices',
    '--output=json',
    `--output-path=${out}`,
    '--chrome-flags=--headless=new --no-sandbox',
    '--quiet',
  ];
  const env = { ...process.env, CHROME_PATH: CHROMIUM };
  const child = spawn('npx', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}

function serve(request, response) {
  const { pathname } = new URL(request.url, site);
  const path = join(dist, decodeURIComponent(pathname));
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path;
  if (!file.startsWith(dist) || !existsSync(file)) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}
