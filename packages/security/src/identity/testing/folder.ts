// Temporary folders for tests.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** Creates an empty folder, which is removed after the test. */
export async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-identity-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
