// A tab that the browser can freeze. Chromium freezes only hidden tabs, and Playwright keeps its
// own ones visible, so this tab is none of Playwright's: it is driven by DevTools messages.

import type { Browser, CDPSession } from 'playwright-core';

export class FreezableTab {
  readonly #devTools: CDPSession;
  readonly #sessionId: string;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  #count = 0;

  private constructor(devTools: CDPSession, sessionId: string) {
    this.#devTools = devTools;
    this.#sessionId = sessionId;
    devTools.on('Target.receivedMessageFromTarget', (received) => {
      const reply = JSON.parse(received.message) as Reply & { id: number };
      if (received.sessionId === sessionId) this.#replies.get(reply.id)?.(reply);
    });
  }

  /** Opens a page in a new tab, and hides it behind another one. */
  static async open(browser: Browser, url: string): Promise<FreezableTab> {
    const devTools = await browser.newBrowserCDPSession();
    const { targetId } = await devTools.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await devTools.send('Target.attachToTarget', { targetId });
    const tab = new FreezableTab(devTools, sessionId);
    // The reply follows when the tab shows the new document, which may load until later. A tab that
    // is created with its address has an empty document at first, whose state is complete, too.
    await tab.#send('Page.navigate', { url });
    await tab.evaluate(LOADED);
    await devTools.send('Target.createTarget', { url: 'about:blank' });
    await tab.evaluate(HIDDEN);
    return tab;
  }

  /** Evaluates an expression, or what its promise resolves to; the value must be plain data. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result.value as T;
  }

  async freeze(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  async thaw(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'active' });
  }

  #send(method: string, params: object): Promise<any> {
    const id = ++this.#count;
    const message = JSON.stringify({ id, method, params });
    return new Promise((resolve, reject) => {
      this.#replies.set(id, ({ error, result }) => {
        this.#replies.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#devTools
        .send('Target.sendMessageToTarget', { sessionId: this.#sessionId, message })
        .catch(reject);
    });
  }
}

interface Reply {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const LOADED = `new Promise((resolve) =>
  document.readyState === 'complete' ? resolve() : addEventListener('load', () => resolve()))`;
const HIDDEN = `new Promise((resolve) =>
  document.hidden ? resolve() : document.addEventListener('visibilitychange', () => resolve()))`;
