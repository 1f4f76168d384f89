// Runs the programs of docs/migration with the libraries that they come from. The libraries are no
// dependencies of ours: docs/migration/before has a package and a lockfile of its own.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startNatsServer, unable } from '@trunkline/local-nats';
import test, { type ExecutionContext } from 'ava';
import { run } from '../programs.ts';
import { root } from '../texts.ts';

const folder = join(root, 'docs/migration/before');

test.before('the libraries are installed', (t) => {
  t.timeout(300_000);
  if (existsSync(join(folder, 'node_modules/.package-lock.json'))) return t.pass();
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  t.is(status, 0, `npm ci --ignore-scripts in docs/migration/before failed: ${error}`);
});

for (const [before, after] of [
  ['grpc', 'orders'],
  ['socket-io', 'socket-io'],
] as const) {
  test.serial(`${before}.mjs and ${after}.ts print the same`, async (t) => {
    t.timeout(120_000);
    await same(t, before, after);
  });
}

if (Number(process.versions.node.split('.')[0]) >= 22) {
  test.serial('libp2p.mjs and libp2p.ts print the same', async (t) => {
    t.timeout(120_000);
    await same(t, 'libp2p', 'libp2p');
  });
} else test.skip('libp2p.mjs and libp2p.ts print the same (libp2p 3 needs Node 22)', () => {});

const reason = unable();
if (reason === undefined) {
  test.serial('nats.mjs and nats.ts print the same', async (t) => {
    t.timeout(120_000);
    const { address, kill } = await startNatsServer();
    t.teardown(kill);
    process.env['NATS_URL'] = address;
    await same(t, 'nats', 'nats');
  });
} else test.skip(`nats.mjs and nats.ts print the same (${reason})`, () => {});

async function same(t: ExecutionContext, before: string, after: string): Promise<void> {
  const first = await run(join(folder, `${before}.mjs`));
  const second = await run(join(root, `docs/dist/migration/${after}.js`));
  t.deepEqual({ ...second, errors: '' }, { ...first, errors: '' });
  t.is(first.code, 0, first.errors);
  t.regex(first.output, /^apples ordered$/m);
}
