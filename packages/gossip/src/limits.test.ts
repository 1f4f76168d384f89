// Tests that publishing a message that is too long for a transport fails with an error, so the
// message is not lost silently.

import { fullMesh } from './overlay/full-mesh.ts';
import { partialView } from './overlay/partial-view.ts';
import { cluster, eventsOf, idOf, listen, meet, words } from './testing/cluster.ts';
import test from './testing/serial.ts';

test('a limit above limits.message of the transport throws a TypeError; the default fits the transport', async (t) => {
  const transport = { limits: { message: 10_000 } };
  const { node } = await meet(t.context, ['a'], { topic: () => undefined, transport });
  const { gossip } = node('a');
  for (const limit of [10_000, 9_745, 1_000_000])
    t.throws(() => gossip.topic('news', words, { limit }), {
      instanceOf: TypeError,
      message: /limit: messages of \d+ bytes do not fit limits\.message/u,
    });
  t.is(gossip.topic('most', words, { limit: 9_744 }).name, 'most');
  const topic = gossip.topic('news', words);
  t.like(await t.throwsAsync(topic.publish('x'.repeat(9_743))), { reason: 'too_large' });
  const listed = topic.publish('x'.repeat(9_700), { to: [idOf('b'), idOf('c')] });
  const error = await t.throwsAsync(listed, { message: /with 2 node ids does not fit/u });
  t.like(error, { reason: 'too_large' });
}, 1);

for (const overlay of [fullMesh(), partialView()]) {
  test(`${overlay.name}: a peer whose transport does not accept the size is in failed, and others get the message`, async (t) => {
    const { sim, nodes, subscriber, node } = await meet(t.context, ['a', 'b'], {
      gossip: () => ({ overlay }),
    });
    cluster(sim, ['c'], {
      nodes,
      gossip: () => ({ overlay }),
      transport: { limits: { message: 100_000 } },
      peers: () => ({ persistent: ['a'], exchange: { enabled: false } }),
    });
    await sim.until(() => nodes.has('c'), 20_000);
    const c = listen(node('c'));
    const { topic } = subscriber('a');
    await sim.until(() => topic.neighbors.length === 2, 20_000);
    for (const audience of [{}, { to: ['b', 'c'].map(idOf) }]) {
      const published = topic.publish('x'.repeat(200_000), audience);
      const { queued, failed = [] } = await sim.settle(published);
      t.is(queued, 1);
      const failures = failed.map(({ nodeId, error }) => [nodeId, error.code, error.reason]);
      t.deepEqual(failures, [[idOf('c'), 'resource_exhausted', 'too_large']]);
      const { message } = failed[0]!.error;
      t.regex(message, /of 200002 bytes is above what node \w{64} accepts \(limits\.message/u);
    }
    void topic.publish('short');
    await sim.until(() => subscriber('b').words.length === 3 && c.words.length === 1, 10_000);
    t.deepEqual(c.words, ['short']);
    const drops = eventsOf(node('a'), 'dropped').map(({ reason, to }) => `${reason} ${to}`);
    t.true(drops.length >= 2);
    t.deepEqual(new Set(drops), new Set([`too-large ${idOf('c')}`]));
  }, 1);
}
