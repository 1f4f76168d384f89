import { createSimulation } from '@trunkline/simulation';
import { fileSystem } from '@trunkline/simulation/loader';

const sim = createSimulation();
sim.node('n1', async (context) => {
  const { promises: fs } = fileSystem(context);
  const show = async (name: string) => `${name} '${await fs.readFile(`/${name}`, 'utf8')}'`;
  const names = (await fs.readdir('/')).filter((name) => name !== 'tmp');
  console.log(`at ${sim.now} ms:`, await Promise.all(names.map(show)));
  if (sim.now > 0) return;

  await fs.writeFile('/one', 'not synced');
  await fs.writeFile('/two', 'synced', { flush: true });
  const root = await fs.open('/', 'r');
  await root.sync(); // The names of both files.
  await root.close();
  await fs.writeFile('/three', 'synced', { flush: true }); // But not its name.
});
await sim.run(1_000);
sim.restart('n1');
await sim.run(1_000);
await sim.close();
