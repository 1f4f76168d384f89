// Starts the Chromium of this machine, and opens pages in it that run a bundle of this package.

import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { FreezableTab } from './freezable-tab.ts';

/** The path of Chromium; undefined if it is not installed. */
export const executablePath: string | undefined = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path));

/** The reason of a skipped test if there is no Chromium. */
export const NO_CHROMIUM = 'no Chromium here: apt-get install chromium';

/** A page that runs a bundle, and the errors that nothing in it has caught. */
export interface OpenedPage {
  readonly page: Page;
  readonly uncaught: string[];
}

/** Chromium, and a server of the pages. */
export class TestBrowser {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #pages = new Map<string, string>();
  #context: BrowserContext | undefined;

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
    server.on('request', (request, response) => {
      const page = this.#pages.get(request.url ?? '');
      response.writeHead(page === undefined ? 404 : 200, {
        'content-type': 'text/html; charset=utf-8',
      });
      response.end(page);
    });
  }

  static async start(): Promise<TestBrowser> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({
      executablePath,
      args: ['--disable-gpu', '--js-flags=--expose-gc'],
    });
    return new TestBrowser(browser, server);
  }

  /**
   * Opens a page that runs the module `page/<name>.js`. The functions are globals of the page.
   * Pages of one browser share an origin, and with it IndexedDB.
   */
  async open(
    name: string,
    functions: Readonly<Record<string, (...args: any[]) => unknown>> = {},
  ): Promise<OpenedPage> {
    const url = await this.#serve(name);
    // Certificates of the tests are signed by nobody that Chromium knows.
    this.#context ??= await this.#browser.newContext({ ignoreHTTPSErrors: true });
    const page = await this.#context.newPage();
    const uncaught: string[] = [];
    page.on('pageerror', (error) => uncaught.push(error.stack ?? String(error)));
    for (const [global, run] of Object.entries(functions)) await page.exposeFunction(global, run);
    await page.goto(url);
    return { page, uncaught };
  }

  /** Opens a page in a tab that can be frozen. */
  async openFreezable(name: string): Promise<FreezableTab> {
    return FreezableTab.open(this.#browser, await this.#serve(name));
  }

  /** Returns the URL of a page. */
  async #serve(name: string): Promise<string> {
    const path = `/${name}.html`;
    if (!this.#pages.has(path)) this.#pages.set(path, await bundled(name));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${path}`;
  }

  /** Stops the processes of all pages, as sleep does, until the returned function is called. */
  async suspend(): Promise<() => void> {
    const pages = await this.renderers();
    for (const id of pages) process.kill(id, 'SIGSTOP');
    return () => {
      for (const id of pages) process.kill(id, 'SIGCONT');
    };
  }

  /** Returns the process ids of all pages. */
  async renderers(): Promise<number[]> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Bundles a module for pages, with everything that it imports, into one HTML text. */
export async function bundled(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page', `${name}.js`)],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const script = outputFiles[0]!.text.replaceAll('</script', '<\\/script');
  return `<!doctype html><meta charset="utf-8"><title>${name}</title><script type="module">${script}</script>`;
}
