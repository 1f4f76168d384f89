// Helpers of tests on the real file system: child processes that use a store, and expected errors.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';

/** Starts a script beside the tests, given by its name, which is killed after the test. */
export function startChild(t: ExecutionContext, name: string, path: string): ChildProcess {
  const script = new URL(`../${name}`, import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** Returns the next line that the child prints. */
export async function answer(child: ChildProcess): Promise<string> {
  const [line] = await once(child.stdout!, 'data');
  return String(line).trim();
}

/** Checks that a promise rejects with such an error. */
export async function fails(
  t: ExecutionContext,
  promise: Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  t.is((await t.throwsAsync(promise, { instanceOf: TransportError, message }))?.code, code);
}
