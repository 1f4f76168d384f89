// Runs tests in the Chromium of this machine. All of them use one page, page/main.ts.

import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { build } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { FreezableTab } from './freezable-tab.ts';
import type { PageFunctions } from './page/main.ts';

const executablePath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path));

let shared: Promise<TestBrowser> | undefined;
test.after.always('Chromium ends', async () => (await shared)?.close());

/**
 * Declares a test, which is skipped without Chromium. The tests of a file share a browser, and run
 * one by one, because some stop all pages.
 */
export function inChromium(
  title: string,
  run: (t: ExecutionContext, browser: TestBrowser) => Promise<void>,
): void {
  if (executablePath === undefined)
    test.skip(`${title} (no Chromium here: apt-get install chromium)`, () => {});
  else
    test.serial(title, async (t) => {
      shared ??= TestBrowser.start();
      await run(t, await shared);
    });
}

/** Calls a function of the page; arguments and results are plain data. */
export type Ask = <N extends keyof PageFunctions>(
  name: N,
  ...args: Parameters<PageFunctions[N]>
) => Promise<Awaited<ReturnType<PageFunctions[N]>>>;

/** Returns the `Ask` of a page, given how to evaluate an expression in it. */
export function askOf(evaluate: (expression: string) => Promise<unknown>): Ask {
  return (name, ...args) => evaluate(`${name}(...${JSON.stringify(args)})`) as Promise<any>;
}

/** Bundles the page with everything that it imports into one HTML text. */
export async function pageHtml(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page/main.js')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const script = outputFiles[0]!.text.replaceAll('</script', '<\\/script');
  return `<!doctype html><meta charset="utf-8"><script type="module">${script}</script>`;
}

/** How the command lines of Chromium's processes differ. */
const PROCESSES = { pages: '--type=renderer', network: 'network.mojom.NetworkService' };

/** Chromium, and a server of the page. */
export class TestBrowser {
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #server: Server;

  private constructor(browser: Browser, context: BrowserContext, server: Server) {
    this.#browser = browser;
    this.#context = context;
    this.#server = server;
  }

  static async start(): Promise<TestBrowser> {
    const html = await pageHtml();
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(html);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const args = ['--disable-gpu', '--js-flags=--expose-gc'];
    const browser = await chromium.launch({ executablePath, args });
    return new TestBrowser(browser, await browser.newContext(), server);
  }

  /** Opens the page for a test, which fails if something in the page is left uncaught. */
  async open(t: ExecutionContext): Promise<{ readonly page: Page; readonly ask: Ask }> {
    const page = await this.#context.newPage();
    const uncaught: string[] = [];
    page.on('pageerror', (error) => uncaught.push(error.stack ?? String(error)));
    t.teardown(async () => {
      await page.close();
      if (uncaught.length > 0) throw new Error(uncaught.join('\n'));
    });
    await page.goto(this.#url());
    return { page, ask: askOf((expression) => page.evaluate(expression)) };
  }

  /** Opens the page in a tab that can be frozen. */
  openFreezable(): Promise<FreezableTab> {
    return FreezableTab.open(this.#browser, this.#url());
  }

  /**
   * Stops processes of Chromium until the returned function is called or the test ends: those of all
   * pages, as sleep does, or the one that has the sockets, as if the network were lost.
   */
  async stop(t: ExecutionContext, which: keyof typeof PROCESSES): Promise<() => void> {
    const ids = await this.processes(which);
    if (ids.length === 0) throw new Error(`Chromium has no process of its ${which}`);
    for (const id of ids) process.kill(id, 'SIGSTOP');
    const resume = () => {
      for (const id of ids.splice(0)) process.kill(id, 'SIGCONT');
    };
    t.teardown(resume);
    return resume;
  }

  /** Returns the ids of processes. */
  async processes(which: keyof typeof PROCESSES): Promise<number[]> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    const commandOf = (id: number) => readFileSync(`/proc/${id}/cmdline`, 'utf8');
    return processInfo.map(({ id }) => id).filter((id) => commandOf(id).includes(PROCESSES[which]));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }
}
