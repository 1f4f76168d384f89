// Behaviors of nodes that only publish on a topic: they receive nothing, and every subscriber gets
// their messages.

import { type DeclareTest, type GossipFixture, inOrder } from './gossip-fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];

/** Boots the nodes; all of them listen except 'd', which only publishes. */
async function publisherOn(fixture: GossipFixture) {
  await fixture.meet(NAMES, { listens: (name) => name !== 'd' });
  const topic = fixture.topic('d', 'news', { publishOnly: true });
  const state = () => fixture.node('d').gossip.snapshot().topics[0]!;
  await fixture.until('d knows the subscribers', () => topic.neighbors.length === 3);
  return { topic, state };
}

export function publishers(test: DeclareTest): void {
  test('a node that only publishes reaches every subscriber once, and receives nothing', async (t, fixture) => {
    const { topic, state } = await publisherOn(fixture);
    for (const word of ['one', 'two', 'three']) {
      const { queued, failed } = await topic.publish(word);
      t.deepEqual([queued > 0, failed], [true, undefined]);
      await fixture.publish('a', `${word} of a`);
    }
    await fixture.heard('three', ['a', 'b', 'c']);
    await fixture.heard('three of a', ['b', 'c']);
    // A second delivery, or a delivery to the publisher, would have happened by now.
    t.is((await topic.publish('last', { min: 3 })).received, 3);
    const own = ['one', 'two', 'three', 'last'];
    const others = ['one', 'two', 'three'].map((word) => `${word} of a`);
    for (const name of ['a', 'b', 'c']) {
      const isOwn = (word: string) => own.includes(word);
      const ofD = fixture.words(name).filter(isOwn);
      const ofA = fixture.words(name).filter((word) => !isOwn(word));
      t.deepEqual(inOrder(fixture, ofD), inOrder(fixture, own), name);
      t.deepEqual(ofA.sort(), name === 'a' ? [] : others.sort(), name);
      t.false(fixture.subscriber(name).topic.neighbors.includes(fixture.idOf('d')), name);
      const { peers } = fixture.node(name).gossip.snapshot();
      t.is(peers.find(({ nodeId }) => nodeId === fixture.idOf('d'))?.topics, 0, name);
    }
    const { delivered, duplicates, dropped, published } = state();
    t.deepEqual([delivered, duplicates, dropped, published], [0, 0, {}, 4]);
    t.deepEqual(
      fixture.node('d').events.filter(({ type }) => type === 'joined' || type === 'dropped'),
      [],
    );
  });

  test('a node that only publishes joins the topic with another handle, and leaves it again', async (t, fixture) => {
    const { topic, state } = await publisherOn(fixture);
    t.throws(() => topic.subscribe(() => {}), {
      instanceOf: TypeError,
      message: /^topic\.subscribe: this handle of topic news only publishes/,
    });
    const isNeighbor = () => fixture.subscriber('a').topic.neighbors.includes(fixture.idOf('d'));
    const { topic: reader, subscription, words: read } = fixture.listen('d');
    await fixture.until('d is a subscriber', () => reader.neighbors.length > 0);
    await fixture.until('a knows', () => isNeighbor());
    await fixture.publish('a', 'to all');
    await fixture.until('d has read it', () => read.includes('to all'));
    await topic.publish('from a member');
    await fixture.heard('from a member', ['a', 'b', 'c']);
    subscription.close();
    reader.close();
    await fixture.until('a knows', () => !isNeighbor());
    await topic.publish('from outside');
    await fixture.heard('from outside', ['a', 'b', 'c']);
    await fixture.publish('a', 'not to d');
    await fixture.heard('not to d', ['b', 'c']);
    t.deepEqual(read, ['to all']);
    t.is(state().handles, 1);
    topic.close();
    t.deepEqual(fixture.node('d').gossip.snapshot().topics, []);
  });
}
