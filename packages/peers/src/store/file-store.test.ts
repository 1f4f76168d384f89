// Tests of the store in a folder. file-address-book.test.ts tests what it does if the disk fails.

import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import test from 'ava';
import { folder } from '../testing/real/folder.ts';
import type { Processes } from './file-lock.ts';
import { createFileStore, FileEntries, folderLayout } from './file-store.ts';
import { FakeDisk } from './testing/fake-disk.ts';
import { bytes, keysSuite } from './testing/keys-suite.ts';
import { answer, fails, startChild } from './testing/real-files.ts';

const FOLDER = '/data/store';
/** A system in which no other process is running. */
const alone: Processes = { own: 7, isRunning: () => false, birthOf: async () => undefined };
const storeOn = (disk: FakeDisk) => new FileEntries(folderLayout(FOLDER), disk, alone);

keysSuite(test, 'memory', createMemoryStore);
keysSuite(test, 'files', async (t) => createFileStore(join(await folder(t), 'store')));

test('the next store of the folder finds the values; only the owner can read the files', async (t) => {
  const path = join(await folder(t), 'store');
  const store = createFileStore(path);
  await store.set('life', bytes(1));
  await store.set('Raft/log', bytes(2));
  await store.sync();
  t.deepEqual((await readdir(path)).sort(), ['%52aft%2flog', '.lock', 'life']);
  if (platform !== 'win32') {
    t.is((await stat(path)).mode & 0o777, 0o700);
    for (const name of await readdir(path))
      t.is((await stat(join(path, name))).mode & 0o777, 0o600, name);
  }
  await store.close();
  await store.close();
  t.deepEqual((await readdir(path)).sort(), ['%52aft%2flog', 'life']);
  for (const act of [
    () => store.get('life'),
    () => store.set('life', bytes(3)),
    () => store.keys(),
    () => store.sync(),
  ]) {
    await fails(t, act(), 'shutdown', /it was closed/);
  }
  await using again = createFileStore(path);
  t.deepEqual((await again.keys()).sort(), ['Raft/log', 'life']);
  t.deepEqual(await again.get('Raft/log'), bytes(2));
});

test('while a value is being written, a read returns it, and a sync waits for it', async (t) => {
  let finish: () => void = () => {};
  class SlowDisk extends FakeDisk {
    override async rename(from: string, to: string): Promise<void> {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return super.rename(from, to);
    }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const store = storeOn(new SlowDisk());
  const done = store.set('life', bytes(1));
  await turn();
  t.deepEqual(await store.get('life'), bytes(1));
  let isSynced = false;
  const synced = store.sync().then(() => {
    isSynced = true;
  });
  await turn();
  t.false(isSynced);
  finish();
  await Promise.all([done, synced]);
  await store.close();
});

test('a close writes earlier values even if nobody awaited them', async (t) => {
  const path = join(await folder(t), 'store');
  const store = createFileStore(path);
  const done = [store.set('one', bytes(1)), store.set('two', bytes(2)), store.set('two', bytes(3))];
  await store.close();
  await Promise.all(done);
  t.deepEqual(new Uint8Array(await readFile(join(path, 'two'))), bytes(3));
});

test('a folder has one store at a time; the folder of a killed process is taken over', async (t) => {
  const path = join(await folder(t), 'store');
  const child = startChild(t, 'file-store.test.child.js', path);
  t.is(await answer(child), 'taken undefined');
  const store = createFileStore(path);
  await fails(
    t,
    store.get('pid'),
    'failed_precondition',
    new RegExp(`^store: .*\\.lock: process ${child.pid} uses it`),
  );
  await fails(t, store.set('pid', bytes(1)), 'failed_precondition', /uses it/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.is(new TextDecoder().decode(await store.get('pid')), `${child.pid}`);
  await store.close();
});

test('an invalid key or value is refused with the reason, and nothing is modified', async (t) => {
  const root = await folder(t);
  await fails(
    t,
    createFileStore(join(root, 'none', 'store')).get('x'),
    'not_found',
    /its folder does not exist; make it/,
  );
  await writeFile(join(root, 'file'), 'x');
  await fails(t, createFileStore(join(root, 'file')).get('x'), 'invalid_argument', /is no folder/);
  const store = createFileStore(join(root, 'store'));
  await fails(
    t,
    store.set('x'.repeat(201), bytes(1)),
    'invalid_argument',
    /takes 201 bytes as a file name, above the limit of 200/,
  );
  await fails(t, store.set('X'.repeat(67), bytes(1)), 'invalid_argument', /takes 201 bytes/);
  await fails(
    t,
    store.set('x', new Uint8Array(67_108_865)),
    'resource_exhausted',
    /has 67108865 bytes, but may have at most 67108864/,
  );
  await t.throwsAsync(store.get('\ud83e'), { instanceOf: TypeError, message: /well-formed/ });
  t.deepEqual(await store.keys(), []);
  await store.close();
  for (const path of ['', 'a\0b', 7, undefined] as string[]) {
    t.throws(() => createFileStore(path), {
      instanceOf: TypeError,
      message: /^createFileStore: folder: must be the path of a folder, got/,
    });
  }
});
