// Temporary folders for tests.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** Creates a temporary folder, which is removed after the test. */
export async function folder(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-peers-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
