// Tests of the address book of a running node in a real file.

import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileAddressBook } from './index.node.ts';
import { failureOf } from './testing/bare.ts';
import { idOf, passive } from './testing/cluster.ts';
import { folder } from './testing/real/folder.ts';
import { emitted, isLinked, test } from './testing/real/real-fixture.ts';

const named = (name: string) => ({ identity: { nodeId: idOf(name) } });

test('a node that opens the file of a closed one loads its addresses, bans and scores', async (t, fixture) => {
  const path = join(await folder(t), 'book');
  const b = await fixture.node('b', { peers: { ...passive, ...named('b') } });
  const first = await fixture.node('a', {
    peers: { ...named('a'), seeds: [b.address], addressBook: createFileAddressBook(path) },
  });
  await fixture.linked([first, b]);
  await fixture.run(15_000);
  first.peers.report(b.nodeId, 'bad', 100);
  first.peers.ban(idOf('evil'));
  const { score } = first.peers.get(b.nodeId)!;
  t.true(score < 50);
  await fixture.settle(first.close());
  t.deepEqual((await readdir(join(path, '..'))).sort(), ['book', 'book.old'], 'the lock is gone');
  t.true((await readFile(path, 'utf8')).includes(b.address.replace('tcp://', '')));

  const a = await fixture.node('a', {
    peers: { ...named('a'), addressBook: createFileAddressBook(path) },
  });
  await fixture.linked([a, b], 10_000);
  t.is(a.peers.snapshot().book.tried, 1);
  t.true(a.peers.get(b.nodeId)!.score <= score + 10);
  const evil = await fixture.node('evil', {
    peers: { ...passive, ...named('evil'), persistent: [a.address] },
  });
  const [rejected] = await fixture.emitted(evil, 'rejected');
  t.is(rejected!.reason, 'denied');
});

for (const isShared of [false, true])
  test(`two nodes with one path: the second fails to start with failed_precondition naming the path, until the first has closed: ${isShared ? 'with one store object' : 'with two'}`, async (t, fixture) => {
    const path = join(await folder(t), 'book');
    const addressBook = createFileAddressBook(path);
    const one = await fixture.node('one', { peers: { ...passive, addressBook } });
    const other = await fixture.node('other', {
      peers: {
        ...passive,
        persistent: [one.address],
        addressBook: isShared ? addressBook : createFileAddressBook(path),
      },
      start: false,
    });
    const { code, message } = await failureOf(other.peers.start());
    t.is(code, 'failed_precondition');
    const user = isShared ? 'it is in use' : `process ${process.pid} uses it`;
    t.true(message.includes(path) && message.includes(user), message);
    await fixture.run(5_000);
    t.deepEqual([other.peers.list(), other.dials], [[], []], 'it does nothing');
    if (isShared) {
      // Closing a node that never had the book does not release it.
      await fixture.settle(other.close());
      t.true((await readdir(join(path, '..'))).includes('book.lock'));
    } else {
      await fixture.settle(one.close());
      await other.peers.start();
      await fixture.until('the second node has dialed', () => other.dials.length > 0);
    }
    t.deepEqual(await fixture.close(), []);
    const files = (await readdir(join(path, '..'))).sort();
    t.deepEqual(files, isShared ? ['book'] : ['book', 'book.old']);
  });

test('a broken file is put aside with a warning; the node runs, and the next save writes a whole file', async (t, fixture) => {
  const path = join(await folder(t), 'book');
  await writeFile(path, '{"trunkline address book": 1}\n{"nodes": [');
  const b = await fixture.node('b', { peers: passive });
  const a = await fixture.node('a', {
    peers: { seeds: [b.address], addressBook: createFileAddressBook(path) },
  });
  await fixture.linked([a, b]);
  const [warning, ...others] = emitted(a, 'warning');
  t.is(others.length, 0);
  t.is(warning!.error.code, 'data_loss');
  t.true(warning!.error.message.includes(`${path}.broken`), warning!.error.message);
  t.deepEqual((await readdir(join(path, '..'))).sort(), ['book.broken', 'book.lock']);
  await fixture.run(121_000);
  await fixture.until('the book of a has one entry', () => a.peers.snapshot().book.size === 1);
  await fixture.settle(a.close());
  t.true((await readFile(path, 'utf8')).includes(b.nodeId));
  const again = await fixture.node('a', { peers: { addressBook: createFileAddressBook(path) } });
  t.deepEqual([emitted(again, 'warning').length, again.peers.snapshot().book.size], [0, 1]);
});

test('a disk that fails at run time causes one warning and nothing else; when it works again the book is saved', async (t, fixture) => {
  const root = await folder(t);
  const [place, away] = [join(root, 'place'), join(root, 'away')];
  await mkdir(place);
  const path = join(place, 'book');
  const b = await fixture.node('b', { peers: passive });
  const a = await fixture.node('a', {
    peers: { seeds: [b.address], addressBook: createFileAddressBook(path) },
  });
  await fixture.linked([a, b]);
  await rename(place, away);
  await fixture.emitted(a, 'warning', 1, 130_000);
  await fixture.run(400_000);
  t.is(emitted(a, 'warning').length, 1, 'once');
  t.true(emitted(a, 'warning')[0]!.error.message.includes(path));
  t.true(isLinked(a, b));
  await rename(away, place);
  await fixture.settle(a.close());
  t.true((await readFile(path, 'utf8')).includes(b.nodeId));
});
