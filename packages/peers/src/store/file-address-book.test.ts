// Tests of the address book store in a file, on a simulated disk that fails or stops at every step,
// and on the real file system.

import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { folder } from '../testing/real/folder.ts';
import { seeds } from '../testing/seeds.ts';
import type { AddressBookStore } from './address-book-store.ts';
import type { Processes } from './file-lock.ts';
import { addressBookAt, createFileAddressBook } from './file-store.ts';
import { FakeDisk } from './testing/fake-disk.ts';
import { fails, read, storeSuite, succeeded } from './testing/store-suite.ts';

const onUnix = platform === 'win32' ? test.skip : test;
const PATH = '/data/book';

/** A system in which no other process is running. */
const alone: Processes = { own: 7, isRunning: () => false, birthOf: async () => undefined };
const bookOn = (disk: FakeDisk, processes = alone) => addressBookAt(PATH, disk, processes);
const bytes = (text: string) => new TextEncoder().encode(text);
const diskOf = (files: Record<string, string>) =>
  new FakeDisk(new Map(Object.entries(files).map(([path, text]) => [path, bytes(text)])));
const decoder = new TextDecoder();
const texts = (disk: FakeDisk) =>
  Object.fromEntries([...disk.names].map(([path, bytes]) => [path, decoder.decode(bytes)]));

storeSuite(test, 'file', async (t) => createFileAddressBook(join(await folder(t), 'book')));

/** Returns a disk on which these books were saved, and a book that is open. */
async function prepared(...saved: string[]): Promise<{ disk: FakeDisk; book: AddressBookStore }> {
  const disk = new FakeDisk();
  const book = bookOn(disk);
  await book.load(read);
  for (const text of saved) await book.save(text);
  return { disk, book };
}

/** Returns the number of disk operations that `act` takes. */
async function count(disk: FakeDisk, act: () => Promise<unknown>): Promise<number> {
  disk.befall(undefined);
  await act();
  return disk.steps;
}

test('a save stopped at any step, whatever reached the disk, leaves the old book or the new one', async (t) => {
  for (const saved of [[], ['[one]', '[two]']]) {
    const first = await prepared(...saved);
    const steps = await count(first.disk, () => first.book.save('[three]'));
    t.true(steps > 4);
    for (let step = 0; step <= steps; step++) {
      const { disk, book } = await prepared(...saved);
      disk.befall({ step, what: 'stop' });
      const isSaved = await succeeded(book.save('[three]'));
      t.is(isSaved, step === steps);
      for (const after of [new FakeDisk(disk.names), ...disk.afterPowerLoss()]) {
        const again = bookOn(after);
        const { value, warnings } = await again.load(read);
        t.deepEqual(warnings, [], 'none is ever missing');
        t.true(
          value === '[three]' || (!isSaved && value === saved.at(-1)),
          `stopped at ${disk.done.at(-1)}: ${value} of ${JSON.stringify(texts(after))}`,
        );
        t.true(after.names.size <= 3, 'temporary files are gone');
        await again.save('[four]');
        await again.close();
        t.is((await again.load(read)).value, '[four]');
      }
    }
  }
});

test('a load of a broken book stopped at any step leaves the previous book to the next load', async (t) => {
  const files = { [PATH]: 'three', [`${PATH}.old`]: '[two]' };
  const first = diskOf(files);
  const steps = await count(first, () => bookOn(first).load(read));
  for (let step = 0; step < steps; step++) {
    const disk = diskOf(files);
    disk.befall({ step, what: 'stop' });
    await succeeded(bookOn(disk).load(read));
    for (const after of [new FakeDisk(disk.names), ...disk.afterPowerLoss()]) {
      t.is((await bookOn(after).load(read)).value, '[two]');
      t.is(texts(after)[`${PATH}.broken`], 'three');
    }
  }
});

const CODES: Record<string, ErrorCode> = {
  ENOSPC: 'resource_exhausted',
  EROFS: 'permission_denied',
  EIO: 'data_loss',
  EMFILE: 'resource_exhausted',
  EWHAT: 'unknown',
};
for (const [code, as] of Object.entries(CODES))
  test(`${code} at any step of a save is ${as}: the old book is intact, and the save can be retried`, async (t) => {
    const first = await prepared('[one]', '[two]');
    const steps = await count(first.disk, () => first.book.save('[three]'));
    let failures = 0;
    for (let step = 0; step < steps; step++) {
      const { disk, book } = await prepared('[one]', '[two]');
      disk.befall({ step, what: code });
      const error = await book.save('[three]').then(undefined, (error) => error as TransportError);
      const at = disk.done.at(step);
      if (error !== undefined) {
        failures++;
        t.true(error instanceof TransportError && error.message.includes(code), `${at}: ${error}`);
        t.regex(error.message, /^address book: \/data/);
        const left = [...disk.names.keys()].filter((path) => path.endsWith('.tmp~'));
        t.deepEqual(at!.includes('unlink') ? [] : left, [], `${at} leaves a temporary file`);
        t.is(error.code, as);
      }
      const { value } = await bookOn(new FakeDisk(disk.names)).load(read);
      t.true(value === '[three]' || (error !== undefined && value === '[two]'), `${at}: ${value}`);
      disk.befall(undefined);
      await book.save('[three]');
      await book.save('[four]');
      await book.close();
      t.deepEqual(await book.load(read), { value: '[four]', warnings: [] }, at);
      t.is(texts(disk)[`${PATH}.old`], '[three]');
    }
    t.true(failures >= 5, `${failures} of ${steps}`);
  });

test('a book that cannot be read or is too large is moved aside, and none is lost', async (t) => {
  const unreadable = diskOf({ [PATH]: '[two]', [`${PATH}.old`]: '[one]' });
  const { read: readFile } = FakeDisk.prototype;
  unreadable.read = async (path, onSize) => {
    if (path === PATH) throw Object.assign(new Error('broken'), { code: 'EIO' });
    return readFile.call(unreadable, path, onSize);
  };
  for (const [disk, problem] of [
    [unreadable, 'the disk failed; look at it (EIO)'],
    [
      diskOf({ [PATH]: 'x'.repeat(16_777_217), [`${PATH}.old`]: '[one]' }),
      'it has 16777217 bytes, but may have at most 16777216',
    ],
  ] as const) {
    const { value, warnings } = await bookOn(disk).load(read);
    t.is(value, '[one]');
    const expected = `address book: ${PATH}: ${problem}; it was moved to '${PATH}.broken'`;
    t.is(warnings[0]!.message, expected);
    const left = [...disk.names.keys()].map((path) => path.slice(PATH.length));
    t.deepEqual(left.sort(), ['.broken', '.lock', '.old']);
  }
  const both = diskOf({ [PATH]: 'two', [`${PATH}.old`]: 'one' });
  const book = bookOn(both);
  t.is((await book.load(read)).value, undefined);
  const error = await t.throwsAsync<TransportError>(book.save(`[${'x'.repeat(16_777_215)}]`));
  t.is(error.code, 'resource_exhausted');
  await book.close();
  t.deepEqual(texts(both), { [`${PATH}.broken`]: 'two', [`${PATH}.old.broken`]: 'one' });
});

test('a load removes leftover temporary files, and none of others', async (t) => {
  const others = ['/data/book2.tmp~', '/data/other.lock.tmp', `${PATH}.lock.mine`];
  const left = [`${PATH}.tmp~`, `${PATH}.old.tmp~`, `${PATH}.lock.0123456789abcdef.tmp`];
  const disk = diskOf(Object.fromEntries([...others, ...left].map((path) => [path, 'x'])));
  const book = bookOn(disk);
  await book.load(read);
  await book.close();
  t.deepEqual([...disk.names.keys()].sort(), others.sort());
});

test('if no lock can be made, the book is read with a warning, and each save tries to lock again', async (t) => {
  for (const text of ['[two]', 'two']) {
    const disk = diskOf({ [PATH]: text, [`${PATH}.old`]: '[one]' });
    let mended = false;
    for (const name of ['write', 'link', 'rename', 'unlink'] as const) {
      const act = disk[name].bind(disk) as (...args: any[]) => Promise<void>;
      disk[name] = async (...args: any[]) => {
        if (!mended) throw Object.assign(new Error('read-only'), { code: 'EROFS' });
        return act(...args);
      };
    }
    const book = bookOn(disk);
    const { value, warnings } = await book.load(read);
    t.is(value, text === '[two]' ? '[two]' : '[one]');
    const expected = /book\.lock: the file system is read-only; .*\(EROFS\); .*read, but not saved/;
    t.regex(warnings[0]!.message, expected);
    if (text === 'two') t.regex(warnings[1]!.message, /it could not be moved to '.*\.broken'/);
    await fails(t, book.save('[three]'), 'permission_denied', /read-only/);
    mended = true;
    await book.save('[three]');
    await book.close();
    t.deepEqual(texts(disk), { [PATH]: '[three]', [`${PATH}.old`]: value! });
  }
});

test('a lost lock is taken again; while another process holds it, nothing is saved', async (t) => {
  const disk = new FakeDisk();
  const [one, two] = [8, 9].map((own) =>
    bookOn(disk, { own, isRunning: () => true, birthOf: async () => undefined }),
  ) as [AddressBookStore, AddressBookStore];
  await one.load(read);
  await fails(t, two.load(read), 'failed_precondition', /^address book: .*lock: process 8 uses it/);
  await disk.unlink(`${PATH}.lock`);
  await one.save('[one]');
  t.regex(texts(disk)[`${PATH}.lock`]!, /^8 /);
  await disk.unlink(`${PATH}.lock`);
  t.is((await two.load(read)).value, '[one]');
  await fails(t, one.save('[mixed]'), 'failed_precondition', /process 9 uses it/);
  await two.save('[two]');
  await one.close();
  t.regex(texts(disk)[`${PATH}.lock`]!, /^9 /, 'a close removes no lock of others');
  await two.close();
  t.deepEqual(texts(disk), { [PATH]: '[two]', [`${PATH}.old`]: '[one]' });
});

test('a lock is stale if its process does not run, or another process has its number', async (t) => {
  const token = '0123456789abcdef';
  const running: Processes = {
    own: 7,
    isRunning: (pid) => pid === 9 || pid === 7,
    birthOf: async (pid) => `boot/${pid}`,
  };
  for (const [lock, isHeld, why] of [
    [`9 ${token} boot/9\n`, true, 'it runs'],
    [`9 ${token} \n`, true, 'a process of unknown start may hold it'],
    [`7 ${token} boot/7\n`, true, 'this process too'],
    [`8 ${token} boot/8\n`, false, 'it does not run'],
    [`9 ${token} boot/3\n`, false, 'another one has its number'],
    [`7 ${token} earlier/7\n`, false, 'in a container the number is the same after each start'],
    ['', false, 'the machine stopped while the lock was made'],
    ['x'.repeat(40), false, 'it is no lock'],
  ] as const) {
    const disk = diskOf({ [`${PATH}.lock`]: lock });
    const book = bookOn(disk, running);
    t.is(await succeeded(book.load(read)), !isHeld, why);
    await book.close();
    t.deepEqual(texts(disk), isHeld ? { [`${PATH}.lock`]: lock } : {});
  }
});

for (const noLinks of [undefined, 'EPERM']) {
  const where = noLinks === undefined ? '' : ', on a disk without hard links';

  test(`if taking a lock, stale or not, stops at any step, the next process takes it over${where}`, async (t) => {
    const locks: Record<string, string>[] = [{}, { [`${PATH}.lock`]: '9 0123456789abcdef \n' }];
    for (const lock of locks) {
      const fresh = () => Object.assign(diskOf(lock), { noLinks });
      const first = fresh();
      const steps = await count(first, () => bookOn(first).load(read));
      for (let step = 0; step < steps; step++) {
        const disk = fresh();
        disk.befall({ step, what: 'stop' });
        await succeeded(bookOn(disk).load(read));
        disk.befall(undefined);
        const book = bookOn(disk);
        await book.load(read);
        t.deepEqual([...disk.names.keys()], [`${PATH}.lock`], `${step}`);
        await book.save('[one]');
        await book.close();
        t.deepEqual(texts(disk), { [PATH]: '[one]' });
      }
    }
  });
}

test('of many processes that find a stale lock at the same time, one saves, however their steps interleave', async (t) => {
  for (const seed of seeds(300)) {
    const disk = diskOf({ [`${PATH}.lock`]: '99 0123456789abcdef \n' });
    const slow = slowly(disk, seed);
    const running = new Set([1, 2, 3, 4, 5]);
    const books = [...running].map((own) =>
      bookOn(slow, { own, isRunning: (pid) => running.has(pid), birthOf: async () => undefined }),
    );
    const loads = await Promise.allSettled(books.map((book) => book.load(read)));
    const saves = await Promise.allSettled(books.map((book, i) => book.save(`[${i + 1}]`)));
    const winners = saves.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    t.is(winners.length, 1, `seed ${seed}`);
    t.is(loads[winners[0]!]!.status, 'fulfilled');
    for (const outcome of [...loads, ...saves])
      if (outcome.status === 'rejected')
        t.is(outcome.reason.code, 'failed_precondition', String(outcome.reason));
    t.is(texts(disk)[PATH], `[${winners[0]! + 1}]`);
    t.regex(texts(disk)[`${PATH}.lock`]!, new RegExp(`^${winners[0]! + 1} `));
  }
});

/** Delays each operation by a pseudo-random number of turns. */
function slowly(disk: FakeDisk, seed: number): FakeDisk {
  let state = seed;
  return new Proxy(disk, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        for (let turns = state >> 26; turns > 0; turns--) await undefined;
        return value.apply(target, args);
      };
    },
  });
}

test('only the owner can read the file, the previous one is kept beside it, and close removes the lock', async (t) => {
  const root = await folder(t);
  const path = join(root, 'book');
  const book = createFileAddressBook(path);
  await book.load(read);
  t.deepEqual(await readdir(root), ['book.lock']);
  const other = createFileAddressBook(join(path, '..', 'book'));
  const inUse = new RegExp(`${path}\\.lock: process ${process.pid} uses it`);
  await fails(t, other.load(read), 'failed_precondition', inUse);
  for (const text of ['[one]', '[two]', '[three]']) await book.save(text);
  t.deepEqual((await readdir(root)).sort(), ['book', 'book.lock', 'book.old']);
  t.is(await readFile(path, 'utf8'), '[three]');
  t.is(await readFile(`${path}.old`, 'utf8'), '[two]');
  if (platform !== 'win32')
    for (const name of await readdir(root))
      t.is((await stat(join(root, name))).mode & 0o777, 0o600, name);
  await book.close();
  t.deepEqual((await readdir(root)).sort(), ['book', 'book.old']);
});

test('a path that cannot be an address book is refused, and nothing is modified', async (t) => {
  const root = await folder(t);
  await writeFile(join(root, 'file'), 'x');
  await mkdir(join(root, 'folder'));
  for (const [path, code, message] of [
    [join('none', 'book'), 'not_found', /its folder does not exist; make it/],
    [join('file', 'book'), 'invalid_argument', /is no folder/],
    ['folder', 'invalid_argument', /it is a folder/],
  ] as const)
    await fails(t, createFileAddressBook(join(root, path)).load(read), code, message);
  t.deepEqual((await readdir(root)).sort(), ['file', 'folder']);
  for (const path of ['', 'a\0b', 7, undefined] as string[])
    t.throws(() => createFileAddressBook(path), {
      instanceOf: TypeError,
      message: /^createFileAddressBook: path: must be the path of a file, got/,
    });
});

onUnix(
  'a pipe does not block, and a link at the place of the temporary file is not followed',
  async (t) => {
    const root = await folder(t);
    const path = join(root, 'book');
    execFileSync('mkfifo', [path]);
    const pipe = createFileAddressBook(path).load(read);
    await fails(t, pipe, 'invalid_argument', /not a regular file/);
    // The pipe is removed here, because the removal of the folder would stat it, and after that
    // Node 20 resolves imports wrongly (nodejs/node#51142).
    await rm(path);
    await writeFile(join(root, 'victim'), 'precious');
    await symlink('victim', `${path}.tmp~`);
    const book = createFileAddressBook(path);
    await book.load(read);
    await symlink('victim', `${path}.tmp~`);
    await book.save('[one]');
    await book.close();
    t.is(await readFile(join(root, 'victim'), 'utf8'), 'precious');
    t.is(await readFile(path, 'utf8'), '[one]');
  },
);
