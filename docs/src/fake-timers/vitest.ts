import { expect, test, vi } from 'vitest';
import { makeCalls } from './calls.ts';

test("calls don't wait for fake timers", async () => {
  const install = (usesSockets: boolean) =>
    vi.useFakeTimers(usesSockets ? {} : { toFake: ['nextTick', 'queueMicrotask', 'setTimeout'] });
  expect(await makeCalls(install, () => vi.useRealTimers())).toBe(16);
});
