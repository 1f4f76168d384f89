// Tests of writing files that are always complete or absent.

import {
  type FileHandle,
  link,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platform } from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { writeAtomically } from './file-disk.ts';

/** Creates an empty folder, which is removed after the test. */
async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-files-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

const options = { mode: 0o600, overwrite: false };
const without = (code: string) => async () => {
  throw Object.assign(new Error('no links here'), { code });
};

test.serial('the content is synced, then named, then the folder is synced', async (t) => {
  const path = join(await folder(t), 'file');
  const handle = await open(join(path, '..'));
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const { sync } = prototype;
  const steps: string[] = [];
  prototype.sync = async function () {
    steps.push((await this.stat()).isDirectory() ? 'folder' : 'content');
    await sync.call(this);
  };
  t.teardown(() => void (prototype.sync = sync));
  await writeAtomically(path, 'one', options, async (from, to) => {
    steps.push('name');
    await link(from, to);
  });
  t.deepEqual(steps, ['content', 'name', ...(platform === 'win32' ? [] : ['folder'])]);
  t.is(await readFile(path, 'utf8'), 'one');
});

test('an existing file is replaced only on request', async (t) => {
  const path = join(await folder(t), 'file');
  await writeAtomically(path, 'one', options);
  t.is(
    (await t.throwsAsync<Error & { code: string }>(writeAtomically(path, 'two', options))).code,
    'EEXIST',
  );
  t.is(await readFile(path, 'utf8'), 'one');
  await writeAtomically(path, 'two', { ...options, overwrite: true });
  t.is(await readFile(path, 'utf8'), 'two');
  t.deepEqual(await readdir(join(path, '..')), ['file']);
});

test('if files cannot have two names, the file is written in place, without replacing another', async (t) => {
  const path = join(await folder(t), 'file');
  await writeAtomically(path, 'one', options, without('EPERM'));
  if (platform !== 'win32') t.is((await stat(path)).mode & 0o777, 0o600);
  t.is(
    (
      await t.throwsAsync<Error & { code: string }>(
        writeAtomically(path, 'two', options, without('EPERM')),
      )
    ).code,
    'EEXIST',
  );
  t.is(await readFile(path, 'utf8'), 'one');
  t.deepEqual(await readdir(join(path, '..')), ['file']);
});

test('an error leaves no temporary file', async (t) => {
  const path = join(await folder(t), 'file');
  t.is(
    (
      await t.throwsAsync<Error & { code: string }>(
        writeAtomically(path, 'one', options, without('EIO')),
      )
    ).code,
    'EIO',
  );
  t.deepEqual(await readdir(join(path, '..')), []);
});
