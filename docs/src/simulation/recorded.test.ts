import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replayPage } from '@trunkline/admin/replay';
import { explore, type Simulation } from '@trunkline/simulation';
import test from 'ava';
import { electionNode } from './election.ts';

async function scenario(sim: Simulation): Promise<void> {
  const members = ['n1', 'n2', 'n3'];
  let elected = 0;
  for (const name of members)
    sim.node(
      name,
      electionNode(members, () => elected++),
    );
  sim.always('the leader stays', () => elected <= 1);
  await sim.run(10_000);
}

test.serial('the first failure of a search becomes a page', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const page = join(folder, 'failure.html');
  const nemesis = [{ at: 3_000, do: 'pause', node: 'n1', for: 3_000 }] as const;
  const { failed } = await explore({ scenario, nemesis, seeds: 20 });
  const recording = failed[0]?.recording;
  if (recording !== undefined) await writeFile(page, replayPage(recording));
  t.regex(await readFile(page, 'utf8'), /the leader stays/);
});
