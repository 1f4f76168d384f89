// Tests of the search for other nodes of a topic, and of the answers to nodes that search.

import { PeerLimits } from '@trunkline/peers/internal';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { encodeQuestion } from '../discovery/tags.ts';
import { topicKey } from '../protocol.ts';
import { idOf } from '../testing/cluster.ts';
import { type DriverParts, memberLimits } from './members.ts';
import { Walker } from './walker.ts';

function setUp(t: ExecutionContext, given: { isOn?: boolean; proven?: boolean; score?: number }) {
  const { isOn = true, proven = true } = given;
  const key = topicKey('news');
  const random = () => 0.5;
  const dialed: string[] = [];
  const self = idOf('me');
  const asker = idOf('asker');
  const limits = new PeerLimits(memberLimits);
  const parts = {
    self,
    mount: { random, clock: createManualClock(0) },
    peers: {
      get: () => ({ proven }),
      addressOf: () => 'inmem://b',
      report: () => t.fail(),
      scoreOf: () => given.score ?? 50,
      known: () => ['somebody'],
    },
    sessions: new Map([[key.hex, { key, overlay: { neighbors: () => [idOf('b')], wanted: 1 } }]]),
    members: {
      isOn: () => isOn,
      interested: () => [idOf('b'), asker],
      dials: {
        reach: (nodeId: string) => {
          dialed.push(nodeId);
          return Promise.reject(new Error('nobody is there'));
        },
      },
    },
    soon: () => {},
  } as unknown as DriverParts;
  const walker = new Walker(parts, { walkers: 1, slowest: 30_000 }, true);
  const ask = () => {
    const question = encodeQuestion({ teller: asker, hearer: self }, [key.bytes], random);
    const member = { nodeId: asker, limits: limits.of(asker, 0) };
    return walker.answer(member as never, question).addresses;
  };
  const leave = () => limits.gone(asker, proven, 0);
  return { walker, ask, leave, dialed };
}

for (const { isOn, proven, named } of [
  { isOn: true, proven: false, named: 1 },
  { isOn: false, proven: true, named: 1 },
  { isOn: false, proven: false, named: 0 },
])
  test(`a peer that asks about a topic is told of ${named} subscriber: on the topic ${isOn}, proven ${proven}`, (t) => {
    const { ask } = setUp(t, { isOn, proven });
    t.deepEqual(ask(), named ? [{ nodeId: idOf('b'), address: 'inmem://b' }] : []);
  });

for (const proven of [true, false])
  test(`the answers to a peer are limited ${proven ? 'over all its connections' : 'for each connection'} if its id is proven: ${proven}`, (t) => {
    const { ask, leave } = setUp(t, { proven });
    let answers = 0;
    for (let connection = 0; connection < 3; connection++) {
      for (let i = 0; i < 20; i++) answers += ask().length;
      leave();
    }
    t.is(answers, proven ? 10 : 30);
  });

for (const { score, need } of [
  { score: 50, need: 'none' },
  { score: 0, need: 'more' },
] as const)
  test(`with a single neighbor, and room for one, the need for more is ${need} if its score is ${score}`, (t) => {
    const { walker } = setUp(t, { score });
    walker.wake(0);
    t.is(walker.snapshot().need, need);
  });

test('a node with enough neighbors dials one stranger a minute; one without leaves that to discovery', (t) => {
  const settings = { score: 50 };
  const { walker, dialed } = setUp(t, settings);
  /** Returns the seconds in which a node was dialed. */
  const run = (from: number, until: number) => {
    const times: number[] = [];
    for (let second = from; second <= until; second++) {
      walker.wake(1_000 * second);
      if (dialed.splice(0).length > 0) times.push(second);
    }
    return times;
  };
  t.deepEqual(run(0, 200), [60, 120, 180]);
  settings.score = 0;
  t.deepEqual(run(201, 400), []);
  settings.score = 50;
  t.is(run(401, 420).length, 1);
});
