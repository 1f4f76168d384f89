// Chromium with the program of a page, which measures one column in a new page each time.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import type { Figures } from '../benchmark.ts';
import type { Command } from './end.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** Chromium's clock has steps of 5 µs instead of 100 in a page that is isolated from others. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Returns the reason why no page can be measured; undefined if one can. */
export function unable(): string | undefined {
  return executablePath === undefined
    ? 'there is no Chromium (apt-get install chromium)'
    : undefined;
}

export interface Chromium {
  measure(command: Command): Promise<Figures>;
  close(): Promise<void>;
}

export async function startChromium(): Promise<Chromium> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.js')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const script = outputFiles[0]!.text.replaceAll('</script', '<\\/script');
  const server = createServer((_request, response) => {
    response.writeHead(200, HEADERS);
    response.end(`<!doctype html><meta charset="utf-8"><script type="module">${script}</script>`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const browser = await chromium.launch({ executablePath, args: ['--disable-gpu'] });
  return {
    async measure(command) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      return page
        .evaluate<Figures>(`measure(${JSON.stringify(command)})`)
        .finally(() => page.close());
    },
    async close() {
      await browser.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
