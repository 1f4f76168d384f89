import { explore } from '@trunkline/simulation';
import { runOnProcesses } from '@trunkline/simulation/processes';

const scenario = new URL('./scenario.js', import.meta.url);

const { passed, failed } = await explore({ scenario, seeds: 100 });
console.log(`in virtual time: ${passed} seeds passed, ${failed.length} failed`);

const { faults } = await runOnProcesses({ scenario });
const killed = faults.filter((fault) => fault.do === 'crash').length;
console.log(
  `on processes: passed, although n1 was killed ${killed > 0 ? 'and restarted' : 'never'}`,
);
