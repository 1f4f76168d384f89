// Tests that every adapter carries calls as the scenarios make them: many at a time, small ones
// beside large ones. The tests of other libraries are skipped if they are not installed.

import test from 'ava';
import { answer, check, Messages, numbered } from '../messages.ts';
import {
  ADAPTER_NAMES,
  isInstalled,
  isUsable,
  PEER_NAMES,
  REAL_PEERS,
  subjectOf,
  versionsOf,
} from './table.ts';

const KIB = 1024;
const SIZES = [16 * KIB, 16 * KIB + 1, 64 * KIB, 64 * KIB + 1, KIB * KIB, 4 * KIB * KIB];

for (const name of [...ADAPTER_NAMES, ...PEER_NAMES]) {
  const tried =
    ADAPTER_NAMES.includes(name) || (isInstalled() && isUsable(name)) ? test.serial : test.skip;
  // Serial, because a call has its default deadline, and tests that run in parallel would use up
  // its time.
  tried(`${name} carries small calls, many at a time, beside large ones`, async (t) => {
    const adapter = await subjectOf(name);
    const serving = await adapter.serve(answer);
    const caller = await adapter.connect(serving.address);
    const messages = new Messages(64, 250);
    const requests = Array.from({ length: 500 }, () => messages.take());
    const large = SIZES.map(numbered);
    requests.splice(250, 0, ...large);
    const replies = await Promise.all(requests.map((request) => caller.call(request)));
    for (const [at, reply] of replies.entries()) t.notThrows(() => check(requests[at]!, reply));
    for (const request of large)
      t.notThrows(() => check(request, caller.inProcess?.(request) ?? answer(request)));
    await caller.close();
    await serving.close();
  });
}

test('measured packages are named with their pinned version', (t) => {
  for (const version of versionsOf([...PEER_NAMES, ...REAL_PEERS]))
    t.regex(version, /^\S+ \d+\.\d+\.\d+$/);
  t.deepEqual(versionsOf(['limit-net']), []);
});
