// Tests of the listeners of directories.

import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { NodeFiles } from './node-files.ts';

test('a listener that stops twice does not stop a later one of the same directory', async (t) => {
  const sim = createSimulation();
  const heard: string[] = [];
  sim.node('n1', (context) => {
    const files = new NodeFiles(context, () => undefined);
    const directory = files.performSync(files.calls.stat('/tmp'));
    if (directory.kind !== 'directory') throw new Error('/tmp is no directory');
    const stop = files.listen(directory, () => t.fail());
    stop();
    files.listen(directory, (name) => void heard.push(name));
    stop();
    files.performSync(files.calls.mkdir('/tmp/a'));
  });
  await sim.run(10);
  await sim.close();
  t.deepEqual(heard, ['a']);
});
