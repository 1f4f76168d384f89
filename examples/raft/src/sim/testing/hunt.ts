// The process of one mutant: runs seeds one after the other until a property fails, and prints the
// seed and the property as JSON, or {} if all seeds passed.

import { print } from '../../program.ts';
import { runSeed, type World } from './run-seed.ts';

const [world, seeds] = process.argv.slice(2);
const rejected = new Promise<{ property: string; message: string }>((resolve) => {
  process.on('unhandledRejection', (error) =>
    resolve({ property: 'no unhandled rejection', message: String(error) }),
  );
});
let answer: object = {};
for (let seed = 1; seed <= Number(seeds) && !('seed' in answer); seed++) {
  const failure = await Promise.race([runSeed(seed, world as World), rejected]);
  if (failure !== undefined) answer = { seed, ...failure };
}
print(JSON.stringify(answer));
