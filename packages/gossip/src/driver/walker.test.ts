// Tests of the search for other nodes of a topic, of its walkers, and of the answers to nodes that
// search.

import { setImmediate as settled } from 'node:timers/promises';
import { PeerLimits, sample } from '@trunkline/peers/internal';
import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { encodeQuestion } from '../discovery/tags.ts';
import { type TopicKey, topicKey } from '../protocol.ts';
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
      dial: (nodeId: string) => {
        dialed.push(nodeId);
        return Promise.reject(new Error('nobody is there'));
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

for (const isOn of [true, false])
  for (const proven of [true, false])
    test(`a peer that asks about a topic is told of ${isOn || proven ? 1 : 0} subscriber: on the topic ${isOn}, proven ${proven}`, (t) => {
      const { ask } = setUp(t, { isOn, proven });
      t.deepEqual(ask(), isOn || proven ? [{ nodeId: idOf('b'), address: 'inmem://b' }] : []);
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

interface Step {
  readonly type: 'visit' | 'ask';
  readonly nodeId: string;
  readonly at: number;
}

/**
 * Sets up a search of a node that is on two topics: nobody is known on the first one, and these
 * members are on the second one. Time is simulated in ticks of 50 ms; each step takes one.
 */
function search({
  strangers = 50,
  members = [] as readonly string[],
  walkers = 2,
  slowest = 30_000,
  seed = 1,
} = {}) {
  const random = seededRandom(seed);
  const all = Array.from({ length: strangers }, (_, i) => `s${i}`);
  const connected = new Set(members);
  const found = new Set(members);
  const [lonely, shared] = [topicKey('lonely'), topicKey('shared')];
  const steps: Step[] = [];
  const node = {
    need: 'none' as 'none' | 'more' | 'first',
    /** Returns true if the visited node is on a topic. */
    visit: (_nodeId: string): boolean | Promise<boolean> => false,
    /** Returns the nodes that a member names. */
    ask: (_nodeId: string): readonly string[] | Promise<readonly string[]> => [],
  };
  let now = 0;
  const session = (key: TopicKey, needs: readonly string[]) => {
    const overlay = {
      neighbors: () => [],
      get wanted() {
        return needs.includes(node.need) ? 1 : 0;
      },
    };
    return [key.hex, { key, overlay }] as const;
  };
  const parts = {
    self: idOf('me'),
    mount: {
      random,
      clock: { now: () => now },
      async send(nodeId: string) {
        steps.push({ type: 'ask', nodeId, at: now });
        const named = await node.ask(nodeId);
        return { addresses: named.map((other) => ({ nodeId: other, address: 'x' })) };
      },
    },
    peers: {
      get: (nodeId: string) => (connected.has(nodeId) ? { remote: nodeId } : undefined),
      known: (count: number) => sample(all, count, random),
      mayDial: () => true,
      learn: () => true,
    },
    sessions: new Map([session(lonely, ['first']), session(shared, ['more', 'first'])]),
    members: {
      interested: (topic: string) => (topic === shared.hex ? members : []),
      isOn: (nodeId: string) => found.has(nodeId),
      async reach(nodeId: string) {
        steps.push({ type: 'visit', nodeId, at: now });
        if (await node.visit(nodeId)) found.add(nodeId);
      },
    },
    soon: () => {},
  } as unknown as DriverParts;
  const walker = new Walker(parts, { walkers, slowest }, false);
  /** Searches for that many milliseconds. Returns the steps. */
  const run = async (milliseconds: number) => {
    for (const until = now + milliseconds; now < until; now += 50) {
      const { length } = steps;
      if (now >= walker.due) walker.wake(now);
      if (steps.length === length) continue;
      now += 50;
      await settled();
    }
    return steps.splice(0);
  };
  return { walker, node, connected, run };
}

/** Returns the nodes that were visited. */
const visitsOf = (steps: readonly Step[]) =>
  steps.filter(({ type }) => type === 'visit').map(({ nodeId }) => nodeId);

test('no node is visited unless members are wanted', async (t) => {
  const { node, run } = search();
  t.deepEqual(await run(60_000), []);
  node.need = 'first';
  t.true((await run(60_000)).length > 0);
  node.need = 'none';
  t.deepEqual(await run(60_000), []);
});

test('walkers that find nobody pause longer and longer, up to the slowest pace, and restart within three minutes', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { node, run } = search({ walkers: 1, strangers: 10_000, seed });
    node.need = 'first';
    const times = (await run(600_000)).map(({ at }) => at);
    const pauses = times.slice(1).map((at, i) => at - times[i]!);
    t.true(Math.max(...pauses) <= 33_200, `seed ${seed}: ${Math.max(...pauses)}`);
    const { length } = times;
    t.true(length >= 20 && length <= 120, `seed ${seed}: ${length} steps in ten minutes`);
    const falls = pauses.slice(1).filter((pause, i) => pause < pauses[i]! * 0.5).length;
    t.true(falls >= 3 && falls <= 10, `seed ${seed}: restarted ${falls} times`);
  }
});

test('a walker that finds a member continues after a second; there are as many steps at once as walkers', async (t) => {
  const { node, run } = search({ walkers: 3, strangers: 100 });
  Object.assign(node, { need: 'first', visit: () => true });
  const { length } = await run(20_000);
  t.true(length >= 3 * 15 && length <= 3 * 20, `${length}`);
  node.visit = () => new Promise<boolean>(() => {});
  t.is((await run(10_000)).length, 3);
  t.deepEqual(await run(60_000), []);
});

test('if more nodes would be welcome, one walker continues at the slowest pace', async (t) => {
  const { node, run } = search({ walkers: 4, slowest: 10_000, members: [idOf('m')] });
  node.need = 'more';
  const steps = await run(600_000);
  t.true(steps.length >= 50 && steps.length <= 67, `${steps.length}`);
  node.visit = () => new Promise<boolean>(() => {});
  t.is(visitsOf(await run(60_000)).length, 1);
});

test('every node is visited before any is visited twice', async (t) => {
  const { node, run } = search({ strangers: 30, slowest: 1_000 });
  node.need = 'first';
  const visited = visitsOf(await run(120_000));
  t.is(new Set(visited.slice(0, 30)).size, 30);
  t.is(new Set(visited.slice(30, 60)).size, 30, 'and then again');
});

test('members are asked once a minute each; nodes that they name are visited first, unless they are connected', async (t) => {
  const [one, two] = [idOf('one'), idOf('two')];
  const { walker, node, connected, run } = search({
    strangers: 500,
    members: [one, two],
    slowest: 1_000,
  });
  node.need = 'more';
  const first = await run(59_000);
  const asked = first.slice(0, 2).map(({ nodeId }) => nodeId);
  t.deepEqual(asked.sort(), [one, two].sort());
  t.is(visitsOf(first).length, first.length - 2);
  node.ask = () => ['x', one, 'late', 'y', 'x'];
  node.visit = (nodeId) => {
    if (nodeId === 'x') connected.add('late');
    return false;
  };
  const next = await run(20_000);
  const at = next.findIndex(({ type }) => type === 'ask');
  t.deepEqual(visitsOf(next.slice(at, at + 3)), ['x', 'y']);
  t.is(next.filter(({ type }) => type === 'ask').length, 2);
  t.is(walker.snapshot().found, 1, 'the other one names no new node');
});

test('the number of kept names is limited, and none is kept when no members are wanted', async (t) => {
  const members = Array.from({ length: 16 }, (_, i) => idOf(`m${i}`));
  const { node, run } = search({ strangers: 0, members, walkers: 16, slowest: 1_000 });
  /** Lets each member name 16 nodes, all at once. */
  const name = async () => {
    let answer!: () => void;
    const answers = new Promise<void>((resolve) => {
      answer = resolve;
    });
    node.ask = async (nodeId) => {
      await answers;
      return Array.from({ length: 20 }, (_, i) => `${i} of ${nodeId}`);
    };
    node.need = 'first';
    t.is((await run(70_000)).length, 16);
    node.ask = () => [];
    answer();
    await settled();
  };
  await name();
  t.is(visitsOf(await run(50_000)).length, 64);
  await name();
  node.need = 'none';
  await run(10_000);
  node.need = 'first';
  t.deepEqual(visitsOf(await run(60_000)), []);
});
