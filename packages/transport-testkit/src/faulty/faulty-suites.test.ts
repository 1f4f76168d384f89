// Tests that the suites over faulty lines use every option of their backend.

import test from 'ava';
import type { TestContext } from '../test-runner.ts';
import { createPipes } from '../testing/pipes.ts';
import { faultyStreamLayerSuite } from './faulty-suites.ts';

test('a faulty stream layer suite keeps the stall timeout, and closes the backend', async (t) => {
  const title = 'faulty pipes: after listen has resolved, localAddr can be dialed';
  const cases = new Map<string, (t: TestContext) => void | Promise<void>>();
  let closed = 0;
  class Pipes {
    readonly malformed = [''];
    layer() {
      return { ...createPipes().layer(), dial: () => new Promise<never>(() => {}) };
    }
    close() {
      closed++;
    }
  }
  faultyStreamLayerSuite((name, run) => void cases.set(name, run), {
    name: 'pipes',
    stallTimeout: 200,
    make: () => new Pipes(),
  });
  const attempt = await t.try((inner) => cases.get(title)!(inner));
  attempt.discard();
  // Later than 0.2 s on a busy machine, but before the default of 4.5 s.
  t.regex(String(attempt.errors[0]?.cause), /nothing has happened for [0-3](\.\d)? s/);
  t.is(closed, 1);
});
