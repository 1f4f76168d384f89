// Tests of the address book store in a file, on the real file system and with several processes.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import test from 'ava';
import { folder } from '../testing/real/folder.ts';
import { createFileAddressBook } from './file-store.ts';
import { answer, fails, startChild } from './testing/real-files.ts';
import { read, storeSuite } from './testing/store-suite.ts';

const onUnix = platform === 'win32' ? test.skip : test;
const asUser = process.getuid?.() === 0 ? test.skip : onUnix;

storeSuite(test, 'file', async (t) => createFileAddressBook(join(await folder(t), 'book')));

test('only the owner can read the file, the previous one is kept beside it, and close removes the lock', async (t) => {
  const root = await folder(t);
  const path = join(root, 'book');
  const book = createFileAddressBook(path);
  await book.load(read);
  t.deepEqual(await readdir(root), ['book.lock']);
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

test('a file that is cut off at any length is put aside, and the previous one is used', async (t) => {
  const root = await folder(t);
  const path = join(root, 'book');
  const old = '{"peers":["old"]}';
  const text = '{"peers":["ä","b"]}';
  const length = new TextEncoder().encode(text).length;
  for (let size = 0; size < length; size++) {
    const book = createFileAddressBook(path);
    await book.load(JSON.parse);
    await book.save(old);
    await book.save(text);
    await book.close();
    await truncate(path, size);
    const { value, warnings } = await book.load<unknown>(JSON.parse);
    t.deepEqual(value, { peers: ['old'] }, `${size} bytes`);
    const { message } = warnings[0]!;
    t.true(
      message.startsWith(`address book: ${path}: it is broken: `) &&
        message.endsWith(`; it was moved to '${path}.broken'`),
      message,
    );
    t.is((await stat(`${path}.broken`)).size, size);
    await book.close();
  }
});

test('two stores of one path do not work at the same time', async (t) => {
  const path = join(await folder(t), 'book');
  const [one, two] = [createFileAddressBook(path), createFileAddressBook(join(path, '..', 'book'))];
  await one.load(read);
  await fails(
    t,
    two.load(read),
    'failed_precondition',
    new RegExp(`${path}\\.lock: process ${process.pid} uses it`),
  );
  await one.save('[one]');
  await one.close();
  t.is((await two.load(read)).value, '[one]');
  await fails(t, one.load(read), 'failed_precondition', /uses it/);
  await two.close();
});

test('the error names another process that uses the file; the lock of a killed process is taken over', async (t) => {
  const path = join(await folder(t), 'book');
  const child = startChild(t, 'file-address-book.test.child.js', path);
  t.is(await answer(child), 'taken undefined');
  const book = createFileAddressBook(path);
  await fails(
    t,
    book.load(read),
    'failed_precondition',
    new RegExp(`${path}\\.lock: process ${child.pid} uses it`),
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.deepEqual(await book.load(read), { value: `[${child.pid}]`, warnings: [] });
  await book.save('[mine]');
  await book.close();
});

test('of several processes that find a stale lock at the same time, one takes it over', async (t) => {
  const root = await folder(t);
  const path = join(root, 'book');
  const dead = startChild(t, 'file-address-book.test.child.js', path);
  await answer(dead);
  dead.kill('SIGKILL');
  await once(dead, 'exit');
  const children = Array.from({ length: 5 }, () =>
    startChild(t, 'file-address-book.test.child.js', path),
  );
  const answers = await Promise.all(children.map(answer));
  t.deepEqual([...answers].sort(), [
    ...Array(4).fill('failed_precondition'),
    `taken [${dead.pid}]`,
  ]);
  const winner = children[answers.findIndex((text) => text.startsWith('taken'))]!;
  winner.stdin!.end();
  await once(winner, 'exit');
  t.deepEqual((await readdir(root)).sort(), ['book', 'book.old']);
});

test('a path that cannot be an address book is refused, and nothing is modified', async (t) => {
  const root = await folder(t);
  await fails(
    t,
    createFileAddressBook(join(root, 'none', 'book')).load(read),
    'not_found',
    /its folder does not exist; make it/,
  );
  await writeFile(join(root, 'file'), 'x');
  await fails(
    t,
    createFileAddressBook(join(root, 'file', 'book')).load(read),
    'invalid_argument',
    /is no folder/,
  );
  await mkdir(join(root, 'folder'));
  await fails(
    t,
    createFileAddressBook(join(root, 'folder')).load(read),
    'invalid_argument',
    /it is a folder/,
  );
  t.deepEqual((await readdir(root)).sort(), ['file', 'folder']);
});

onUnix('a pipe does not block', async (t) => {
  const path = join(await folder(t), 'book');
  execFileSync('mkfifo', [path]);
  await fails(t, createFileAddressBook(path).load(read), 'invalid_argument', /not a regular file/);
  // The pipe is removed here, because the removal of the folder would stat it, and after that Node
  // 20 resolves imports wrongly (nodejs/node#51142).
  await rm(path);
});

onUnix('a link at the place of the temporary file is not followed', async (t) => {
  const root = await folder(t);
  await writeFile(join(root, 'victim'), 'precious');
  await symlink('victim', join(root, 'book.tmp'));
  const book = createFileAddressBook(join(root, 'book'));
  await book.load(read);
  await symlink('victim', join(root, 'book.tmp'));
  await book.save('[one]');
  await book.close();
  t.is(await readFile(join(root, 'victim'), 'utf8'), 'precious');
  t.is(await readFile(join(root, 'book'), 'utf8'), '[one]');
});

asUser(
  'in a folder that may only be read the book is read with a warning, and a save says why not',
  async (t) => {
    const root = await folder(t);
    const path = join(root, 'book');
    await writeFile(path, '[one]');
    await chmod(root, 0o500);
    t.teardown(() => chmod(root, 0o700));
    const book = createFileAddressBook(path);
    const { value, warnings } = await book.load(read);
    t.is(value, '[one]');
    t.regex(warnings[0]!.message, /this user may not; .*\(EACCES\); the book can be read/);
    await fails(t, book.save('[two]'), 'permission_denied', /this user may not/);
    await chmod(root, 0o700);
    await book.save('[two]');
    await book.close();
  },
);

test('an invalid path throws a TypeError that names it', (t) => {
  for (const path of ['', 'a\0b', 7, undefined] as string[]) {
    t.throws(() => createFileAddressBook(path), {
      instanceOf: TypeError,
      message: /^createFileAddressBook: path: must be the path of a file, got/,
    });
  }
});
