// Prints the number of calls that were made under the fake timers of sinon or Jest; with `late`,
// Trunkline is imported after sinon's fake timers were installed.

import { ModernFakeTimers } from '@jest/fake-timers';
import sinon from 'sinon';

const [library] = process.argv.slice(2);
if (library === 'sinon') {
  const { makeCalls } = await import('./calls.ts');
  console.log(
    await makeCalls(
      (usesSockets) => sinon.useFakeTimers({ toNotFake: usesSockets ? ['nextTick'] : [] }),
      () => sinon.restore(),
    ),
  );
} else if (library === 'jest') {
  const { makeCalls } = await import('./calls.ts');
  const jest = new ModernFakeTimers({ config: { rootDir: '.' } as never, global: globalThis });
  console.log(
    await makeCalls(
      (usesSockets) => jest.useFakeTimers({ doNotFake: usesSockets ? ['nextTick'] : [] }),
      () => jest.useRealTimers(),
    ),
  );
} else {
  const real = setImmediate;
  const clock = sinon.useFakeTimers({ toNotFake: ['nextTick'] });
  const { makeCalls } = await import('./calls.ts');
  let calls: number | undefined;
  const nothing = () => {};
  makeCalls(nothing, nothing).then((number) => {
    calls = number;
  });
  const turn = () => new Promise<void>((resolve) => real(resolve));
  for (let turns = 0; turns < 50; turns++) await turn();
  console.log(calls);
  while (calls === undefined) {
    clock.tick(1);
    await turn();
  }
  console.log(calls);
}
