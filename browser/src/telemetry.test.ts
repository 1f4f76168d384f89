// Measures and traces a call in Chromium.

import test from 'ava';
import { executablePath, NO_CHROMIUM, TestBrowser } from './chromium.ts';

const title = 'calls in Chromium are measured and traced';

interface Result {
  readonly traces: number;
  readonly spans: readonly string[];
  readonly metrics: readonly string[];
}

if (executablePath === undefined) test.skip(`${title} (${NO_CHROMIUM})`, () => {});
else
  test(title, async (t) => {
    const browser = await TestBrowser.start();
    t.teardown(() => browser.close());
    const { page, uncaught } = await browser.open('telemetry');
    const { traces, spans, metrics } = await page.evaluate<Result>('measureAndTrace()');
    t.is(traces, 1);
    t.deepEqual(spans, ['echo/echo', 'echo/echo']);
    for (const side of ['client', 'server'])
      t.true(metrics.includes(`rpc.${side}.call.duration`), side);
    t.true(metrics.includes('trunkline.connection.count'));
    t.deepEqual(uncaught, []);
  });
