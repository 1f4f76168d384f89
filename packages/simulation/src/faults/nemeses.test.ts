// Tests of the plans of the ready-made nemeses, as data and in action.

import { seededRandom } from '@trunkline/transport-core/testing';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { typeError } from '../testing/type-error.ts';
import type { Fault, ScheduledFault } from './fault.ts';
import { membership } from './node-nemeses.ts';
import { ringOfMajorities } from './partition-shapes.ts';
import { compose, kinds, type NemesisKind, swarm } from './swarm.ts';

const nemeses = { ...kinds, membership, swarm };
const names = Object.keys(nemeses) as (keyof typeof nemeses)[];
const nodesOf = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);
const planOf = (
  name: keyof typeof nemeses,
  seed: number,
  nodes = 5,
  options = {},
  from = 1_000,
): ScheduledFault[] =>
  nemeses[name](options).plan({ nodes: nodesOf(nodes), random: seededRandom(seed), from });

test('every plan is sorted, within its time, ends in recover, is plain data in whole milliseconds, and the same for the same seed', (t) => {
  for (const name of names) {
    let all = 0;
    for (let seed = 1; seed <= 10; seed++) {
      for (const nodes of [0, 1, 2, 3, 4, 5, 9]) {
        const plan = planOf(name, seed, nodes);
        const times = plan.map(({ at }) => at);
        t.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
        t.true(times.every((at) => at > 1_000 && at <= 31_000 && Number.isInteger(at)));
        t.deepEqual(plan.at(-1), { at: 31_000, do: 'recover' });
        t.is(plan.filter((fault) => fault.do === 'recover').length, 1);
        t.true(plan.every((fault) => fault.do !== 'pause' || fault.at + fault.for <= 31_000));
        t.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
        if (nodes === 5) {
          t.deepEqual(planOf(name, seed, nodes), plan);
          all += plan.length;
        }
      }
      t.notDeepEqual(planOf(name, seed, 5), planOf(name, seed + 1, 5));
    }
    t.true(all > 20, `${name} plans ${all} faults for 10 seeds`);
  }
});

test('every plan runs in a simulation, which is healthy afterwards', async (t) => {
  for (const name of names) {
    await using sim = createSimulation({ seed: 1, nemesis: nemeses[name]({ duration: 10_000 }) });
    for (const node of nodesOf(4)) sim.node(node, () => {});
    sim.membership({ add() {}, remove() {} });
    await sim.run(10_001);
    t.not(sim.calmSince, undefined, name);
    t.true(sim.nodes.every((node) => sim.isUp(node)));
  }
});

test('plans follow their options', (t) => {
  const plan = planOf('isolate', 1, 3, { duration: 1_000, lasts: 100, calm: 200, node: 'n2' }, 0);
  const partition = { do: 'partition', groups: [['n1', 'n3'], ['n2']] };
  t.deepEqual(plan, [
    { at: 200, ...partition },
    { at: 300, do: 'heal' },
    { at: 500, ...partition },
    { at: 600, do: 'heal' },
    { at: 800, ...partition },
    { at: 900, do: 'heal' },
    { at: 1_000, do: 'recover' },
  ] as never);
  t.deepEqual(
    planOf('isolate', 1, 3, { duration: 1_000, lasts: 100, calm: 200, pace: 3, node: 'n2' }, 0),
    [
      { at: 600, ...partition },
      { at: 900, do: 'heal' },
      { at: 1_000, do: 'recover' },
    ] as never,
  );
  const rolling = planOf('rollingRestart', 1, 2, { duration: 100, lasts: 10, calm: 20 }, 0).map(
    (fault) => ('node' in fault ? `${fault.do} ${fault.node}` : fault.do),
  );
  t.deepEqual(rolling, [
    'crash n1',
    'restart n1',
    'crash n2',
    'restart n2',
    'crash n1',
    'restart n1',
    'recover',
  ]);
  t.true(
    planOf('slowNode', 1, 5, { node: 'n4', cost: 7 }).every(
      (fault) =>
        fault.do !== 'slow' || (fault.node === 'n4' && (fault.cost === 7 || fault.cost === 0)),
    ),
  );
  t.true(
    planOf('flappingLink', 1, 5, { between: ['n2', 'n5'] }).every(
      (fault) => fault.do !== 'cut' || (fault.from === 'n2' && fault.to === 'n5'),
    ),
  );
  t.true(
    planOf('badLinks', 1, 5, { link: { loss: 1 }, share: 1 }).filter((fault) => fault.do === 'link')
      .length %
      10 ===
      0,
  );
});

test('invalid options of a nemesis throw TypeErrors that name them', (t) => {
  t.throws(
    () => nemeses.splitBrain({ lasts: -1 }),
    typeError(/^nemeses\.splitBrain: lasts: must be a number of at least 0/),
  );
  t.throws(
    () => nemeses.crashes({ maxdown: 1 } as never),
    typeError(/nemeses\.crashes: maxdown: unknown option; did you mean 'maxDown'/),
  );
  t.throws(
    () => nemeses.flappingLink({ between: ['n1', 'n1'] }),
    typeError(/nemeses\.flappingLink: between: must be two names/),
  );
  t.throws(
    () => nemeses.swarm({ kinds: ['all' as never] }),
    typeError(/nemeses\.swarm: kinds: must be a list of some of splitBrain, /),
  );
  t.throws(
    () => planOf('badLinks', 1, 5, { link: { loss: 2 } }),
    typeError(/nemeses\.badLinks: link: loss: /),
  );
});

test('a majority ring gives every node a majority, and no two the same', (t) => {
  for (let count = 3; count <= 12; count++) {
    const nodes = nodesOf(count);
    const faults = ringOfMajorities(nodes, seededRandom(count));
    const hears = nodes.map((node) =>
      nodes.filter(
        (other) => other === node || faults.every((fault) => !isSeparated(fault, other, node)),
      ),
    );
    t.true(
      hears.every((heard) => heard.length > count / 2),
      `of ${count}`,
    );
    t.is(new Set(hears.map((heard) => heard.join())).size, count, `of ${count}`);
    t.true(hears.every((heard) => heard.length < count));
  }
  function isSeparated(fault: Fault, from: string, to: string): boolean {
    if (fault.do === 'cut') return fault.from === from && fault.to === to;
    return (
      fault.do === 'partition' &&
      !fault.groups.some((group) => group.includes(from) && group.includes(to))
    );
  }
});

test('a bridge joins two halves that have nothing else in common', (t) => {
  for (const fault of planOf('bridge', 1, 5)) {
    if (fault.do !== 'partition') continue;
    const [left, right] = fault.groups as [string[], string[]];
    t.deepEqual([left.length, right.length], [3, 3]);
    t.is(left.filter((node) => right.includes(node)).length, 1);
  }
});

test('crashes leave a majority up, unless more nodes may be down', (t) => {
  for (const [options, most] of [
    [{}, 2],
    [{ maxDown: 5 }, 5],
    [{ maxDown: 0 }, 0],
  ] as const) {
    for (const name of ['crashes', 'swarm'] as const) {
      let worst = 0;
      for (let seed = 1; seed <= 300; seed++)
        worst = Math.max(worst, mostDown(planOf(name, seed, 5, options)));
      t.is(worst, most, `${name} ${JSON.stringify(options)}`);
    }
  }
  t.is(mostDown(planOf('crashes', 1, 2)), 1);
});

test('different seeds give swarms of different kinds of faults, and every kind occurs', (t) => {
  const seen = new Set<string>();
  const subsets = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const done = new Set(planOf('swarm', seed).map((fault) => fault.do));
    for (const each of done) seen.add(each);
    subsets.add([...done].sort().join());
  }
  for (const each of [
    'partition',
    'cut',
    'hold',
    'release',
    'link',
    'reset',
    'crash',
    'restart',
    'pause',
    'slow',
    'skew',
    'drift',
    'disk',
  ])
    t.true(seen.has(each), each);
  t.true(subsets.size > 100, `${subsets.size} subsets`);
  const only: NemesisKind[] = ['pauses', 'clockStorm'];
  t.true(
    planOf('swarm', 5, 5, { kinds: only }).every((fault) =>
      ['pause', 'skew', 'drift', 'recover'].includes(fault.do),
    ),
  );
  t.is(Object.keys(kinds).length, names.length - 2);
});

test('a swarm crashes only nodes that are up, and restarts only nodes that are down', (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    const down = new Set<string>();
    for (const fault of planOf('swarm', seed, 5, {
      kinds: ['crashes', 'rollingRestart'],
      maxDown: 3,
    })) {
      if (fault.do === 'crash') t.is(down.size, down.add(fault.node).size - 1);
      if (fault.do === 'restart') t.true(down.delete(fault.node));
    }
  }
});

function mostDown(plan: readonly ScheduledFault[]): number {
  const down = new Set<string>();
  let most = 0;
  for (const fault of plan) {
    if (fault.do === 'crash') down.add(fault.node);
    if (fault.do === 'restart') down.delete(fault.node);
    most = Math.max(most, down.size);
  }
  return most;
}

test('a composition plans the faults of all its nemeses, and one recover at the end', (t) => {
  const setting = (seed: number) => ({
    nodes: nodesOf(5),
    random: seededRandom(seed),
    from: 1_000,
  });
  const short = kinds.isolate({ duration: 5_000 });
  const mixed = compose(short, kinds.pauses(), kinds.clockStorm({ duration: 20_000 }));
  t.is(mixed.name, 'isolate and pauses and clockStorm');
  const seen = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const plan = mixed.plan(setting(seed));
    t.deepEqual(mixed.plan(setting(seed)), plan);
    t.deepEqual(plan.at(-1), { at: 31_000, do: 'recover' });
    t.is(plan.filter((fault) => fault.do === 'recover').length, 1);
    for (const fault of plan) seen.add(fault.do);
  }
  for (const each of ['partition', 'pause', 'skew', 'drift']) t.true(seen.has(each), each);
  t.throws(() => compose(), { message: 'nemeses.compose: give at least one nemesis' });
});

test('compose() keeps the last fault of a nemesis that plans no recover', (t) => {
  const crash = { name: 'crash', plan: () => [{ at: 50, do: 'crash', node: 'n1' } as const] };
  const plan = compose(crash).plan({ nodes: ['n1'], random: seededRandom(1), from: 0 });
  t.deepEqual(
    plan.map((fault) => fault.do),
    ['crash', 'recover'],
  );
});

test('membership changes the group by the functions of the scenario', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const changes = membership({ least: 2, duration: 20_000, lasts: [100, 1_000], calm: 100 });
    await using sim = createSimulation({ seed, nemesis: compose(changes, kinds.crashes()) });
    for (const node of nodesOf(5)) sim.node(node, () => {});
    const group = new Set(nodesOf(5));
    const sizes = new Set<number>();
    sim.membership({
      add: (node) => t.false(group.has(node)) && group.add(node),
      remove(node) {
        t.true(group.delete(node));
        sizes.add(group.size);
      },
    });
    await sim.run(30_001);
    t.deepEqual([...sizes].sort(), [2, 3, 4]);
    t.is(group.size, 5);
    sim.inject({ do: 'remove', node: 'n1' });
    sim.inject({ do: 'remove', node: 'n1' });
    sim.inject({ do: 'recover' });
    t.true(group.has('n1'), 'recover puts nodes back');
  }
});

test('a change of the group needs functions, and fails the run if it fails', async (t) => {
  const sim = createSimulation({ nemesis: [{ at: 1, do: 'remove', node: 'a' }] });
  sim.node('a', () => {});
  await t.throwsAsync(sim.run(5), { message: /call sim\.membership\({ add, remove }\) before it/ });
  t.throws(() => sim.membership({} as never), { instanceOf: TypeError });
  const other = createSimulation({ nemesis: [{ at: 1, do: 'remove', node: 'a' }] });
  other.node('a', () => {});
  other.membership({ add() {}, remove: () => Promise.reject(new Error('no leader')) });
  await other.run(5);
  await t.throwsAsync(other.close(), { message: /no leader/ });
  t.deepEqual(membership().plan({ nodes: ['a'], random: seededRandom(1), from: 0 }).length, 1);
});
