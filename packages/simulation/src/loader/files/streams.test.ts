// Tests of how the streams of a simulated file system end.

import { fileSystem } from '../../index.loader.ts';
import { createSimulation } from '../../index.ts';
import test from '../../testing/serial.ts';

/** Returns what `use` resolves to in a node; fails if it takes more than a second. */
async function withFiles<T>(use: (fs: typeof import('node:fs')) => Promise<T>): Promise<T> {
  await using sim = createSimulation({ seed: 1 });
  let result: Promise<T> | undefined;
  sim.node('a', (context) => {
    result = use(fileSystem(context));
    result.catch(() => {});
  });
  await sim.run(0);
  return await sim.settle(result!, 1_000);
}

test('close after end writes everything first', async (t) => {
  const text = await withFiles(async (fs) => {
    const stream = fs.createWriteStream('/file');
    stream.write('one ');
    stream.end('two');
    await new Promise((resolve) => stream.close(resolve));
    return fs.readFileSync('/file', 'utf8');
  });
  t.is(text, 'one two');
});

test('close calls back without autoClose, too', async (t) => {
  const text = await withFiles(async (fs) => {
    const stream = fs.createWriteStream('/file', { autoClose: false });
    stream.write('one');
    await new Promise((resolve) => stream.close(resolve));
    return fs.readFileSync('/file', 'utf8');
  });
  t.is(text, 'one');
});

test('a stream closes the handle that it reads from', async (t) => {
  const fd = await withFiles(async (fs) => {
    fs.writeFileSync('/file', 'text');
    const handle = await fs.promises.open('/file');
    for await (const _ of handle.createReadStream());
    await handle.close();
    return handle.fd;
  });
  t.is(fd, -1);
});
