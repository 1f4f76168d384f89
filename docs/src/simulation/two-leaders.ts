import {
  describeFault,
  explore,
  type NodeSetup,
  nemeses,
  type Simulation,
} from '@trunkline/simulation';
import { durableElectionNode } from './durable-election.ts';
import { electionNode } from './election.ts';

type Node = (
  members: readonly string[],
  onLeader: (term: number, leader: string) => void,
) => NodeSetup;

/** Runs five nodes for a virtual minute, and checks the rule that they must always keep. */
function oneLeaderATerm(node: Node) {
  return async (sim: Simulation) => {
    const members = ['n1', 'n2', 'n3', 'n4', 'n5'];
    const leaders = new Map<number, string>();
    let broken: string | undefined;
    const onLeader = (term: number, leader: string) => {
      const first = leaders.get(term) ?? leader;
      leaders.set(term, first);
      if (first !== leader) broken = `${first} and ${leader} both lead term ${term}`;
    };
    for (const name of members) sim.node(name, node(members, onLeader));
    sim.always('one leader per term', () => {
      if (broken !== undefined) throw new Error(broken);
    });
    await sim.run(60_000);
  };
}

for (const node of [electionNode, durableElectionNode]) {
  const search = {
    seeds: 100,
    nemesis: nemeses.crashes(),
    link: { latency: [1, 50], loss: 0.05 },
  } as const;
  const { passed, failed } = await explore({
    ...search,
    name: node.name,
    scenario: oneLeaderATerm(node),
  });
  console.log(`${node.name}: ${passed} seeds passed, ${failed.length} failed`);
  for (const { error, schedule, faults } of failed) {
    console.log(
      `${error.message.split('\n')[0]}\n${schedule.length} of ${faults} faults are enough:`,
    );
    for (const fault of schedule) console.log(`  ${fault.at} ms: ${describeFault(fault)}`);
  }
}
