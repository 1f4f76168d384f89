import { createSimulation } from '@trunkline/simulation';
import { createLoader } from '@trunkline/simulation/loader';

const load = createLoader(import.meta.url);
await using sim = createSimulation();
sim.node('n1', async (context) => {
  const { default: process } = await load(context, 'node:process');
  process.env.LOG_LEVEL = 'debug';
  process.argv.push('--port', '8080');
  // Load the program here. It sees both:
  const { parseArgs } = await load(context, 'node:util');
  const { values } = parseArgs({ options: { port: { type: 'string' } } });
  console.log(process.env.LOG_LEVEL, values.port);
});
await sim.run(1_000);
