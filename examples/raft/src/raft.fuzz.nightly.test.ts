// Raft under faults: hundreds of seeded histories with loss, delay, duplicated messages,
// partitions, slow disks and crashes. The fixture checks the four safety properties at every step;
// here each history must also end in agreement once the faults end.

import test from 'ava';
import { RaftFixture, type RaftFixtureOptions, type TestNode } from './testing/raft-fixture.ts';

const SEEDS = 100;
const HARDSHIP = 4_000;
const PEACE = 3_000;

for (const [name, options] of Object.entries<Omit<RaftFixtureOptions, 'seed'>>({
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
        const fixture = new RaftFixture({ seed, ...options });
        commands += history(fixture);
        terms += fixture.leaders.size;
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
    t.log(`${commands} commands committed in ${terms} terms`);
    t.true(commands > 20 * SEEDS && terms > 2 * SEEDS, 'the histories have elections and faults');
  });
}

/**
 * Runs a fixture with faults for a while, lets it recover, and returns the number of committed
 * commands.
 */
function history(fixture: RaftFixture): number {
  let proposed = 0;
  const propose = () => {
    for (const node of fixture.nodes) fixture.propose(node, `command ${++proposed}`);
    fixture.after(fixture.between([5, 40]), propose);
  };
  const trouble = () => {
    if (fixture.now > HARDSHIP) return;
    TROUBLES[Math.floor(fixture.random() * TROUBLES.length)]!(fixture);
    fixture.after(fixture.between([50, 500]), trouble);
  };
  propose();
  trouble();
  fixture.run(HARDSHIP);

  fixture.heal();
  fixture.calm();
  for (const node of fixture.nodes) if (node.raft === undefined) fixture.start(node);
  const before = fixture.committed.size;
  fixture.run(PEACE);
  if (fixture.committed.size <= before)
    throw new Error('nothing was committed once the hardship had ended');
  const ends = fixture.nodes.map(({ applied }) => Math.max(...applied.keys()));
  const slowest = fixture.nodes[ends.indexOf(Math.min(...ends))]!;
  const caughtUp = fixture.until(() => slowest.applied.has(Math.max(...ends)), 1_000);
  if (!caughtUp)
    throw new Error(`${slowest.id} stayed at ${Math.min(...ends)} of ${Math.max(...ends)}`);
  return fixture.committed.size;
}

const TROUBLES: ((fixture: RaftFixture) => void)[] = [
  (fixture) => fixture.partition(...split(fixture)),
  (fixture) => {
    const [a, b] = [pick(fixture), pick(fixture)];
    fixture.passes = (from, to) => !(from === a.id && to === b.id); // One way only.
  },
  (fixture) => fixture.heal(),
  (fixture) => fixture.heal(),
  (fixture) => fixture.crash(pick(fixture)),
  (fixture) => fixture.leader && fixture.crash(fixture.leader),
  restart,
  restart,
];

function restart(fixture: RaftFixture): void {
  const node = fixture.nodes.find(({ raft }) => raft === undefined);
  if (node !== undefined) fixture.start(node);
}

function split(fixture: RaftFixture): TestNode[][] {
  const groups: TestNode[][] = [[], []];
  for (const node of fixture.nodes) groups[fixture.random() < 0.5 ? 0 : 1]!.push(node);
  return groups;
}

function pick(fixture: RaftFixture): TestNode {
  return fixture.nodes[Math.floor(fixture.random() * fixture.nodes.length)]!;
}
