// Declares the cases of a suite that run in the page.

import { inChromium } from './chromium.ts';
import { casesOf, type SuiteName } from './page/cases.ts';

/** @param only texts of which a title must contain one. Default: all cases. */
export function casesInPage(suite: SuiteName, only: readonly string[] = ['']): void {
  for (const title of casesOf(suite).keys()) {
    if (!only.some((text) => title.includes(text))) continue;
    inChromium(title, async (t, browser) => {
      t.timeout(120_000);
      const { ask } = await browser.open(t);
      const failure = await ask('runCase', suite, title);
      if (failure === undefined) t.pass();
      else t.fail(failure);
    });
  }
}
