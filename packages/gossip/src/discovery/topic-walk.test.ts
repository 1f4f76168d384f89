// Tests of the walk that searches for nodes of a topic, and of the ration of answers that a peer
// gets.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { type Need, Ration, type Step, TopicWalk } from './topic-walk.ts';

/** Sets up a walk over numbered nodes, with simulated time. */
function walk({
  strangers = 50,
  members = [] as string[],
  walkers = 2,
  slowest = 30_000,
  seed = 1,
} = {}) {
  const random = seededRandom(seed);
  const all = Array.from({ length: strangers }, (_, i) => `s${i}`);
  const connected = new Set(members);
  const machine = new TopicWalk({
    random,
    walkers,
    slowest,
    members: () => members,
    isConnected: (nodeId) => connected.has(nodeId),
    draw: (isFit) => {
      const fit = all.filter(isFit);
      return fit[Math.floor(random() * fit.length)];
    },
  });
  const steps: (Step & { readonly at: number })[] = [];
  let now = 0;
  /** Ends a step 50 ms after the present tick. Returns true if it found a node. */
  const end = (walker: number, isFound: boolean, named: readonly string[] = []): boolean => {
    const { found } = machine;
    machine.ended(walker, isFound, named, now + 50);
    return machine.found > found;
  };
  /**
   * Runs the walk for that long in ticks of 100 ms. Each step ends with the result of `finds`.
   */
  const run = (milliseconds: number, finds: (step: Step) => boolean = () => false) => {
    const until = now + milliseconds;
    for (; now < until; now += 100) {
      if (now < machine.wakeAt) continue;
      for (const step of machine.wake(now)) {
        steps.push({ ...step, at: now });
        end(step.walker, finds(step));
      }
    }
    return steps.splice(0);
  };
  const need = (what: Need) => machine.setNeed(what, now);
  return { machine, end, run, need, now: () => now };
}

test('no node is visited unless members are wanted', (t) => {
  const { machine, run, need } = walk();
  t.is(machine.wakeAt, Number.POSITIVE_INFINITY);
  t.deepEqual(run(60_000), []);
  need('first');
  t.true(run(60_000).length > 0);
  need('none');
  t.is(machine.wakeAt, Number.POSITIVE_INFINITY);
  t.deepEqual(run(60_000), []);
});

test('walkers that find nobody pause longer and longer, up to the slowest pace, and restart within three minutes', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { run, need } = walk({ walkers: 1, strangers: 10_000, seed });
    need('first');
    const times = run(600_000).map(({ at }) => at);
    const pauses = times.slice(1).map((at, i) => at - times[i]!);
    t.true(Math.max(...pauses) <= 33_200, `seed ${seed}: ${Math.max(...pauses)}`);
    const { length } = times;
    t.true(length >= 20 && length <= 120, `seed ${seed}: ${length} steps in ten minutes`);
    const falls = pauses.slice(1).filter((pause, i) => pause < pauses[i]! * 0.5).length;
    t.true(falls >= 3 && falls <= 10, `seed ${seed}: restarted ${falls} times`);
  }
});

test('a walker that finds a member continues after a second; there are as many steps at once as walkers', (t) => {
  const { run, need, machine, now } = walk({ walkers: 3 });
  need('first');
  const found = run(20_000, () => true);
  t.true(found.length >= 3 * 15 && found.length <= 3 * 20, `${found.length}`);
  const later = now() + 10_000;
  t.is(new Set(machine.wake(later).map(({ walker }) => walker)).size, 3);
  t.deepEqual(machine.wake(later), []);
  t.is(machine.wakeAt, Number.POSITIVE_INFINITY);
});

test('if more nodes would be welcome, one walker continues at the slowest pace', (t) => {
  const { run, need } = walk({ walkers: 4, slowest: 10_000 });
  need('more');
  const steps = run(600_000);
  t.true(steps.length >= 50 && steps.length <= 67, `${steps.length}`);
  t.deepEqual([...new Set(steps.map(({ walker }) => walker))], [0]);
});

test('every node is visited before any is visited twice', (t) => {
  const { run, need } = walk({ strangers: 30, slowest: 1_000 });
  need('first');
  const visited = run(120_000).map(({ nodeId }) => nodeId);
  t.is(new Set(visited.slice(0, 30)).size, 30);
  t.is(new Set(visited.slice(30, 60)).size, 30, 'and then again');
});

test('members are asked once a minute each; nodes that they name are visited first, unless they are connected', (t) => {
  const { run, need, end } = walk({ strangers: 500, members: ['m1', 'm2'], slowest: 1_000 });
  need('more');
  const first = run(59_000).map(({ type, nodeId }) => `${type} ${nodeId}`);
  t.deepEqual(first.slice(0, 2).sort(), ['ask m1', 'ask m2']);
  t.true(first.slice(2).every((step) => step.startsWith('visit')));
  t.true(end(0, false, ['x', 'm1', 'y', 'x']));
  const next = run(20_000).flatMap(({ type, nodeId }) => (type === 'visit' ? nodeId : []));
  t.deepEqual(next.slice(0, 2), ['x', 'y']);
  t.false(end(0, false, ['x', 'y']), 'nothing new');
});

test('the number of kept names is limited, and none is kept when no members are wanted', (t) => {
  const { run, need, end } = walk({ strangers: 0, slowest: 1_000 });
  need('more');
  const names = Array.from({ length: 1_000 }, (_, i) => `t${i}`);
  end(0, false, names);
  t.is(run(200_000).length, 64);
  end(0, false, names);
  need('none');
  need('more');
  t.deepEqual(run(60_000), []);
});

test('ten answers at once, then one per second; one of a hundred refusals counts as abuse', (t) => {
  const ration = new Ration();
  const take = (times: number, now: number) => {
    const counts = { taken: 0, abused: 0 };
    for (let i = 0; i < times; i++) if (ration.take(now, () => counts.abused++)) counts.taken++;
    return counts;
  };
  t.deepEqual(take(12, 0), { taken: 10, abused: 0 });
  t.deepEqual(take(4, 3_500), { taken: 3, abused: 0 });
  t.deepEqual(take(300, 4_000), { taken: 1, abused: 3 });
  t.deepEqual(take(20, 1_000_000), { taken: 10, abused: 0 });
});
