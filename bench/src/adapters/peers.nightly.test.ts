// Tests that each other library carries calls as the scenarios make them. The tests are skipped if
// the libraries are not installed.

import test from 'ava';
import { answer, check, Messages, numbered } from '../messages.ts';
import { isInstalled, isUsable, loadPeer, PEER_NAMES, versionsOf } from './peers.ts';

for (const name of PEER_NAMES) {
  const tried = isInstalled() && isUsable(name) ? test : test.skip;
  tried(`${name} carries small calls, many at a time, beside large ones`, async (t) => {
    const adapter = (await loadPeer(name))!;
    t.is(adapter.name, name);
    const serving = await adapter.serve(answer);
    const caller = await adapter.connect(serving.address);
    const small = new Messages(64, 250);
    const requests = Array.from({ length: 500 }, () => small.take());
    requests.push(
      numbered(4 * 1024 * 1024, 1),
      numbered(4 * 1024 * 1024, 2),
      numbered(16 * 1024, 3),
      numbered(64 * 1024, 4),
    );
    const replies = await Promise.all(requests.map((request) => caller.call(request)));
    for (const [at, reply] of replies.entries()) t.notThrows(() => check(requests[at]!, reply));
    await caller.close();
    await serving.close();
  });
}

test('measured packages are named with their pinned version', async (t) => {
  for (const name of PEER_NAMES)
    for (const version of versionsOf(name)) t.regex(version, /^\S+ \d+\.\d+\.\d+$/);
  t.deepEqual(versionsOf('limit-net'), []);
  t.is(await loadPeer('limit-net'), undefined);
});
