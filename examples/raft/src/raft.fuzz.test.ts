// Raft under faults: hundreds of seeded histories with loss, delay, duplicated messages,
// partitions, slow disks and crashes. The world checks the four safety properties at every step;
// here each history must also end in agreement once the faults end.

import test from 'ava';
import { type TestNode, World, type WorldOptions } from './testing/world.ts';

const SEEDS = 100;
const HARDSHIP = 4_000;
const PEACE = 3_000;

for (const [name, options] of Object.entries<Omit<WorldOptions, 'seed'>>({
  'late, lost and doubled messages': { loss: 0.1, duplicate: 0.1, latency: [1, 60] },
  'slow disks and frequent snapshots': { disk: [0, 40], snapshotEvery: 8, keep: 3, loss: 0.02 },
  'three nodes': { nodes: 3, loss: 0.05, duplicate: 0.05, snapshotEvery: 20, keep: 5 },
})) {
  test(`${SEEDS} histories with partitions and crashes: ${name}`, (t) => {
    t.timeout(120_000, 'seconds on a free machine, many on a busy one');
    let commands = 0;
    let terms = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const world = new World({ seed, ...options });
        commands += history(world);
        terms += world.leaders.size;
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
    t.log(`${commands} commands committed in ${terms} terms`);
    t.true(commands > 20 * SEEDS && terms > 2 * SEEDS, 'the histories have elections and faults');
  });
}

/**
 * Runs a world with faults for a while, lets it recover, and returns the number of committed
 * commands.
 */
function history(world: World): number {
  let proposed = 0;
  const propose = () => {
    for (const node of world.nodes) world.propose(node, `command ${++proposed}`);
    world.after(world.between([5, 40]), propose);
  };
  const trouble = () => {
    if (world.now > HARDSHIP) return;
    TROUBLES[Math.floor(world.random() * TROUBLES.length)]!(world);
    world.after(world.between([50, 500]), trouble);
  };
  propose();
  trouble();
  world.run(HARDSHIP);

  world.heal();
  world.calm();
  for (const node of world.nodes) if (node.raft === undefined) world.start(node);
  const before = world.committed.size;
  world.run(PEACE);
  if (world.committed.size <= before)
    throw new Error('nothing was committed once the hardship had ended');
  const ends = world.nodes.map(({ applied }) => Math.max(...applied.keys()));
  const slowest = world.nodes[ends.indexOf(Math.min(...ends))]!;
  const caughtUp = world.until(() => slowest.applied.has(Math.max(...ends)), 1_000);
  if (!caughtUp)
    throw new Error(`${slowest.id} stayed at ${Math.min(...ends)} of ${Math.max(...ends)}`);
  return world.committed.size;
}

const TROUBLES: ((world: World) => void)[] = [
  (world) => world.partition(...split(world)),
  (world) => {
    const [a, b] = [pick(world), pick(world)];
    world.passes = (from, to) => !(from === a.id && to === b.id); // One way only.
  },
  (world) => world.heal(),
  (world) => world.heal(),
  (world) => world.crash(pick(world)),
  (world) => world.leader && world.crash(world.leader),
  restart,
  restart,
];

function restart(world: World): void {
  const node = world.nodes.find(({ raft }) => raft === undefined);
  if (node !== undefined) world.start(node);
}

function split(world: World): TestNode[][] {
  const groups: TestNode[][] = [[], []];
  for (const node of world.nodes) groups[world.random() < 0.5 ? 0 : 1]!.push(node);
  return groups;
}

function pick(world: World): TestNode {
  return world.nodes[Math.floor(world.random() * world.nodes.length)]!;
}
