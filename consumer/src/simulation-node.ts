// Simulations that use Node: files of nodes, and scenarios on processes.

import { createSimulation } from '@trunkline/simulation';
import { fileSystem } from '@trunkline/simulation/loader';
import { type ProcessRun, runOnProcesses } from '@trunkline/simulation/processes';

export async function writeOnDisk(): Promise<void> {
  const sim = createSimulation({ disk: { torn: 0.1, journal: true } });
  sim.node('n1', async (context) => {
    const { promises, statSync } = fileSystem(context);
    await promises.writeFile('/file', 'text', { flush: true });
    if (statSync('/file').size !== 4) throw new Error('the file is short');
  });
  await sim.run(1_000);
}

export function onProcesses(): Promise<ProcessRun> {
  return runOnProcesses({ scenario: new URL('./scenario.js', import.meta.url), seed: 1 });
}
