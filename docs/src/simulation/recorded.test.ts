import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replayPage } from '@trunkline/admin/replay';
import { explore, type Simulation } from '@trunkline/simulation';
import test from 'ava';

async function scenario(sim: Simulation): Promise<void> {
  let starts = 0;
  sim.node('n1', () => void starts++);
  sim.always('the node stays up', () => starts <= 1);
  await sim.run(10_000);
}

test.serial('the first failure of a search becomes a page', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const page = join(folder, 'failure.html');
  const nemesis = [
    { at: 3_000, do: 'crash', node: 'n1' },
    { at: 4_000, do: 'restart', node: 'n1' },
  ] as const;
  const { failed } = await explore({ scenario, nemesis, seeds: 20 });
  const recording = failed[0]?.recording;
  if (recording !== undefined) await writeFile(page, replayPage(recording));
  t.regex(await readFile(page, 'utf8'), /the node stays up/);
});
