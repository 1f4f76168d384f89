// Tests of the store in a folder. file-address-book.test.ts tests what it does if the disk fails.

import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import type { Store } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { folder } from '../testing/real/folder.ts';
import type { Processes } from './file-lock.ts';
import { createFileStore, FileEntries, folderLayout } from './file-store.ts';
import { FakeDisk } from './testing/fake-disk.ts';
import { fails } from './testing/store-suite.ts';

const bytes = (...values: number[]) => new Uint8Array(values);
const FOLDER = '/data/store';
/** A system in which no other process is running. */
const alone: Processes = { own: 7, isRunning: () => false, birthOf: async () => undefined };
const storeOn = (disk: FakeDisk) => new FileEntries(folderLayout(FOLDER), disk, alone);

const backends: Record<string, (t: ExecutionContext) => Promise<Store> | Store> = {
  memory: createMemoryStore,
  files: async (t) => createFileStore(join(await folder(t), 'store')),
};
for (const [name, make] of Object.entries(backends)) {
  test(`${name}: a key has the bytes that were set last, and none before it is set or after it is deleted`, async (t) => {
    const store = await make(t);
    t.is(await store.get('life'), undefined);
    await store.set('life', bytes(1, 2, 3));
    t.deepEqual(await store.get('life'), bytes(1, 2, 3));
    await store.set('life', bytes());
    t.deepEqual(await store.get('life'), bytes());
    await store.delete('life');
    await store.delete('life');
    t.is(await store.get('life'), undefined);
    await store.sync();
    t.deepEqual(await store.keys(), []);
  });

  test(`${name}: a read returns the last value even if nobody awaited its set`, async (t) => {
    const store = await make(t);
    const done = [1, 2, 3].map((value) => store.set('life', bytes(value)));
    done.push(store.set('other', bytes(7)), store.set('gone', bytes(8)), store.delete('gone'));
    t.deepEqual(await store.get('life'), bytes(3));
    t.deepEqual((await store.keys()).sort(), ['life', 'other']);
    await store.sync();
    await Promise.all(done);
    t.deepEqual((await store.keys()).sort(), ['life', 'other']);
    t.deepEqual(await store.get('other'), bytes(7));
  });

  test(`${name}: any text is a key, distinct from all others`, async (t) => {
    const store = await make(t);
    const names = '. .. a A a/b a%2fb ../up .lock a~ é 🦊 % con address-book.old';
    const keys = ['', 'e\u0301', 'a b\n\0', ...names.split(' ')];
    for (const [i, key] of keys.entries()) await store.set(key, bytes(i));
    t.deepEqual((await store.keys()).sort(), keys.toSorted());
    for (const [i, key] of keys.entries())
      t.deepEqual(await store.get(key), bytes(i), JSON.stringify(key));
  });

  test(`${name}: the store copies bytes that are set, and the reader owns bytes that are read`, async (t) => {
    for (const given of [bytes(1), Buffer.from([1])]) {
      const store = await make(t);
      const done = store.set('life', given);
      given[0] = 2;
      const read = await store.get('life');
      t.deepEqual(read, bytes(1));
      read![0] = 3;
      await done;
      t.deepEqual(await store.get('life'), bytes(1));
    }
  });
}

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
  ])
    await fails(t, act(), 'shutdown', /it was closed/);
  await using again = createFileStore(path);
  t.deepEqual((await again.keys()).sort(), ['Raft/log', 'life']);
  t.deepEqual(await again.get('Raft/log'), bytes(2));
});

test('while a value is being written, a read returns it, and a sync waits for it', async (t) => {
  let finish: () => void = () => {};
  class SlowDisk extends FakeDisk {
    override async rename(from: string, to: string): Promise<void> {
      await new Promise<void>((resolve) => void (finish = resolve));
      return super.rename(from, to);
    }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const store = storeOn(new SlowDisk());
  const done = store.set('life', bytes(1));
  await turn();
  t.deepEqual(await store.get('life'), bytes(1));
  let isSynced = false;
  const synced = store.sync().then(() => void (isSynced = true));
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
  const script = new URL('file-store.test.child.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = await once(child.stdout, 'data');
  t.is(String(said).trim(), 'taken undefined');
  const store = createFileStore(path);
  const inUse = new RegExp(`^store: .*\\.lock: process ${child.pid} uses it`);
  await fails(t, store.get('pid'), 'failed_precondition', inUse);
  await fails(t, store.set('pid', bytes(1)), 'failed_precondition', /uses it/);
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.is(new TextDecoder().decode(await store.get('pid')), `${child.pid}`);
  await store.close();
});

test('an invalid key or value is refused with the reason, and nothing is modified', async (t) => {
  const root = await folder(t);
  const nowhere = createFileStore(join(root, 'none', 'store'));
  await fails(t, nowhere.get('x'), 'not_found', /its folder does not exist; make it/);
  await writeFile(join(root, 'file'), 'x');
  await fails(t, createFileStore(join(root, 'file')).get('x'), 'invalid_argument', /is no folder/);
  const store = createFileStore(join(root, 'store'));
  const [long, tooLong] = [/takes 201 bytes/, /as a file name, above the limit of 200/];
  await fails(t, store.set('x'.repeat(201), bytes(1)), 'invalid_argument', tooLong);
  await fails(t, store.set('X'.repeat(67), bytes(1)), 'invalid_argument', long);
  const tooLarge = /has 67108865 bytes, but may have at most 67108864/;
  await fails(t, store.set('x', new Uint8Array(67_108_865)), 'resource_exhausted', tooLarge);
  await t.throwsAsync(store.get('\ud83e'), { instanceOf: TypeError, message: /well-formed/ });
  t.deepEqual(await store.keys(), []);
  await store.close();
  const message = /^createFileStore: folder: must be the path of a folder, got/;
  for (const path of ['', 'a\0b', 7, undefined] as string[])
    t.throws(() => createFileStore(path), { instanceOf: TypeError, message });
});
