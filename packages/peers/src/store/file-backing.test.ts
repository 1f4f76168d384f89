// Tests of the address book store in a file on a simulated disk, which fails or stops at every
// step.

import { type ErrorCode, TransportError } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { seeds } from '../testing/seeds.ts';
import type { Processes } from './file-lock.ts';
import { FileBacking } from './file-store.ts';
import { ExclusiveStore } from './store-backing.ts';
import { FakeDisk } from './testing/fake-disk.ts';
import { read, storeSuite } from './testing/store-suite.ts';

const PATH = '/data/book';

/** A system in which no other process is running. */
const alone: Processes = { own: 7, isRunning: () => false, birthOf: async () => undefined };
const bookOn = (disk: FakeDisk, processes = alone) =>
  new ExclusiveStore(new FileBacking(PATH, disk, processes), 'book');
const texts = (disk: FakeDisk) =>
  Object.fromEntries(
    [...disk.names].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]),
  );
const bytes = (text: string) => new TextEncoder().encode(text);

storeSuite(test, 'file, on a disk in memory', () => bookOn(new FakeDisk()));
storeSuite(test, 'file, on a disk without hard links', () => bookOn(withoutLinks(new FakeDisk())));

/** Returns a disk on which '[one]' and '[two]' were saved, and a book that is open. */
async function prepared(links: boolean): Promise<{ disk: FakeDisk; book: ExclusiveStore }> {
  const disk = links ? new FakeDisk() : withoutLinks(new FakeDisk());
  const book = bookOn(disk);
  await book.load(read);
  await book.save('[one]');
  await book.save('[two]');
  return { disk, book };
}

function withoutLinks(disk: FakeDisk): FakeDisk {
  disk.noLinks = 'EPERM';
  return disk;
}

/** Returns the number of disk operations that `act` takes. */
async function count(disk: FakeDisk, act: () => Promise<unknown>): Promise<number> {
  disk.befall(undefined);
  await act();
  return disk.steps;
}

for (const links of [true, false]) {
  const where = links ? '' : ', without hard links';

  test(`a save stopped at any step, whatever reached the disk, leaves the old book or the new one${where}`, async (t) => {
    const { disk, book } = await prepared(links);
    const steps = await count(disk, () => book.save('[three]'));
    t.true(steps > 5);
    let found = 0;
    for (let step = 0; step <= steps; step++) {
      const { disk, book } = await prepared(links);
      disk.befall({ step, what: 'stop' });
      const saved = await book.save('[three]').then(
        () => true,
        () => false,
      );
      t.is(saved, step === steps);
      for (const after of [new FakeDisk(disk.names), ...disk.afterPowerLoss()]) {
        if (!links) withoutLinks(after);
        const again = bookOn(after);
        const { value, warnings } = await again.load(read);
        if (links) t.deepEqual(warnings, [], 'none is ever missing');
        t.true(
          saved ? value === '[three]' : value === '[two]' || value === '[three]',
          `stopped at ${disk.done.at(-1)}: ${value} of ${JSON.stringify(texts(after))}`,
        );
        t.true(after.names.size <= 3, 'temporary files are gone');
        await again.save('[four]');
        await again.close();
        t.is((await again.load(read)).value, '[four]');
        found++;
      }
    }
    t.true(found > steps);
  });

  test(`a first save stopped at any step leaves nothing or the new book${where}`, async (t) => {
    const fresh = async () => {
      const disk = links ? new FakeDisk() : withoutLinks(new FakeDisk());
      const book = bookOn(disk);
      await book.load(read);
      return { disk, book };
    };
    const first = await fresh();
    const steps = await count(first.disk, () => first.book.save('[one]'));
    for (let step = 0; step < steps; step++) {
      const { disk, book } = await fresh();
      disk.befall({ step, what: 'stop' });
      await t.throwsAsync(book.save('[one]'));
      for (const after of [new FakeDisk(disk.names), ...disk.afterPowerLoss()]) {
        const { value, warnings } = await bookOn(after).load(read);
        t.true(value === undefined || value === '[one]');
        t.deepEqual(warnings, []);
      }
    }
  });

  test(`a load of a broken book stopped at any step leaves the previous book to the next load${where}`, async (t) => {
    const broken = async () => {
      const { disk, book } = await prepared(links);
      await book.save('three');
      await book.close();
      const again = links ? new FakeDisk(disk.names) : withoutLinks(new FakeDisk(disk.names));
      return { disk: again, book: bookOn(again) };
    };
    const first = await broken();
    const steps = await count(first.disk, () => first.book.load(read));
    for (let step = 0; step < steps; step++) {
      const { disk, book } = await broken();
      disk.befall({ step, what: 'stop' });
      await book.load(read).catch(() => {});
      for (const after of [new FakeDisk(disk.names), ...disk.afterPowerLoss()]) {
        const { value } = await bookOn(after).load(read);
        t.is(value, '[two]');
        t.is(texts(after)[`${PATH}.broken`], 'three');
      }
    }
  });

  for (const [code, as] of [
    ['ENOSPC', 'resource_exhausted'],
    ['EROFS', 'permission_denied'],
    ['EIO', 'data_loss'],
    ['EMFILE', 'resource_exhausted'],
    ['EWHAT', 'unknown'],
  ] as [string, ErrorCode][]) {
    test(`${code} at any step of a save is ${as}: the old book is intact, and the save can be retried${where}`, async (t) => {
      const { disk, book } = await prepared(links);
      const steps = await count(disk, () => book.save('[three]'));
      let failures = 0;
      for (let step = 0; step < steps; step++) {
        const { disk, book } = await prepared(links);
        disk.befall({ step, what: code });
        const error = await book.save('[three]').then(
          () => undefined,
          (error: TransportError) => error,
        );
        const at = disk.done.at(step);
        if (error !== undefined) {
          failures++;
          t.true(
            error instanceof TransportError &&
              error.message.includes(PATH) &&
              error.message.includes(code),
            `${at}: ${error}`,
          );
          t.is(error.code, as);
        }
        const left = texts(disk);
        t.false(
          `${PATH}.tmp` in left && error !== undefined && !at!.includes('unlink'),
          `${at} leaves a temporary file`,
        );
        const after = await bookOn(new FakeDisk(disk.names)).load(read);
        const fine = error === undefined ? ['[three]'] : ['[two]', '[three]'];
        t.true(fine.includes(after.value!), `${at}: ${after.value}`);
        disk.befall(undefined);
        await book.save('[three]');
        await book.save('[four]');
        await book.close();
        t.deepEqual(await book.load(read), { value: '[four]', warnings: [] }, at);
        t.is(texts(disk)[`${PATH}.old`], '[three]');
      }
      t.true(failures >= 5, `${failures} of ${steps}`);
    });
  }
}

test('an unreadable file causes a warning and stays for inspection', async (t) => {
  const { disk, book } = await prepared(true);
  await book.close();
  const reads = async (disk: FakeDisk) => {
    disk.befall(undefined);
    await bookOn(disk).load(read);
    return disk.done.indexOf(`read ${PATH}`);
  };
  const step = await reads(new FakeDisk(disk.names));
  const broken = new FakeDisk(disk.names);
  broken.befall({ step, what: 'EIO' });
  const { value, warnings } = await bookOn(broken).load(read);
  t.is(value, '[one]');
  t.regex(
    warnings[0]!.message,
    /^address book: \/data\/book: the disk failed; look at it \(EIO\); it was moved to '\/data\/book\.broken'$/,
  );
  t.is(texts(broken)[`${PATH}.broken`], '[two]');
});

test('two broken books are both kept', async (t) => {
  const { value, warnings, left } = await loadOf({ [PATH]: 'two', [`${PATH}.old`]: 'one' });
  t.is(value, undefined);
  t.is(warnings.length, 2);
  t.deepEqual(left, { [`${PATH}.broken`]: 'two', [`${PATH}.old.broken`]: 'one' });
});

test('a book that is too large is neither read nor saved', async (t) => {
  const { value, warnings, left } = await loadOf({
    [PATH]: 'x'.repeat(16_777_217),
    [`${PATH}.old`]: '[one]',
  });
  t.is(value, '[one]');
  t.regex(
    warnings[0]!.message,
    /it has 16777217 bytes, but an address book may have at most 16777216; it was moved/,
  );
  t.deepEqual(Object.keys(left).sort(), [`${PATH}.broken`, `${PATH}.old`]);
  const book = bookOn(new FakeDisk());
  await book.load(read);
  t.is(
    (await t.throwsAsync<TransportError>(book.save(`[${'x'.repeat(16_777_215)}]`))).code,
    'resource_exhausted',
  );
});

test('a load removes leftover temporary files', async (t) => {
  const token = '0123456789abcdef';
  const { left } = await loadOf({
    [`${PATH}.tmp`]: '[ha',
    [`${PATH}.lock.${token}.tmp`]: '1',
    [`${PATH}.lock.${token}`]: '1 2 3',
    [`${PATH}.lock.unreadable`]: '',
    [`${PATH}.lock.mine`]: 'x',
    '/data/other.lock.tmp': 'x',
  });
  t.deepEqual(Object.keys(left).sort(), [`${PATH}.lock.mine`, '/data/other.lock.tmp'].sort());
});

async function loadOf(files: Record<string, string>) {
  const disk = new FakeDisk(
    new Map(Object.entries(files).map(([path, text]) => [path, bytes(text)])),
  );
  const book = bookOn(disk);
  const loaded = await book.load(read);
  await book.close();
  return { ...loaded, left: texts(disk) };
}

test('if no lock can be made, the book is read with a warning, and each save tries to lock again', async (t) => {
  const { disk, book } = await prepared(true);
  await book.close();
  const readOnly = new FakeDisk(disk.names);
  let mended = false;
  for (const name of ['write', 'link', 'rename', 'unlink'] as const) {
    const act = readOnly[name].bind(readOnly) as (...args: any[]) => Promise<void>;
    readOnly[name] = async (...args: any[]) => {
      if (!mended) throw Object.assign(new Error('read-only'), { code: 'EROFS' });
      return act(...args);
    };
  }
  const again = bookOn(readOnly);
  const { value, warnings } = await again.load(read);
  t.is(value, '[two]');
  t.regex(
    warnings[0]!.message,
    /book\.lock: the file system is read-only; .*\(EROFS\); the book can be read, but not saved/,
  );
  t.is((await t.throwsAsync<TransportError>(again.save('[three]'))).code, 'permission_denied');
  mended = true;
  await again.save('[three]');
  await again.close();
  t.deepEqual(texts(readOnly), { [PATH]: '[three]', [`${PATH}.old`]: '[two]' });
});

test('a lost lock is taken again; while another process holds it, nothing is saved', async (t) => {
  const disk = new FakeDisk();
  const [one, two] = [8, 9].map((own) =>
    bookOn(disk, { own, isRunning: () => true, birthOf: async () => undefined }),
  ) as [ExclusiveStore, ExclusiveStore];
  await one.load(read);
  await disk.unlink(`${PATH}.lock`);
  await one.save('[one]');
  t.regex(texts(disk)[`${PATH}.lock`]!, /^8 /);
  await disk.unlink(`${PATH}.lock`);
  t.is((await two.load(read)).value, '[one]');
  const error = await t.throwsAsync(one.save('[mixed]'), {
    instanceOf: TransportError,
    message: /process 9 uses it/,
  });
  t.is(error?.code, 'failed_precondition');
  await two.save('[two]');
  await one.close();
  await two.close();
  await one.load(read);
  await disk.unlink(`${PATH}.lock`);
  await two.load(read);
  await one.close();
  t.regex(texts(disk)[`${PATH}.lock`]!, /^9 /, 'a close removes no lock of others');
  await two.close();
  t.deepEqual(texts(disk), { [PATH]: '[two]', [`${PATH}.old`]: '[one]' });
});

async function lockedBy(t: ExecutionContext, lock: string, processes: Processes): Promise<boolean> {
  const disk = new FakeDisk(new Map([[`${PATH}.lock`, bytes(lock)]]));
  const book = bookOn(disk, processes);
  try {
    await book.load(read);
    await book.close();
    t.deepEqual(texts(disk), {}, 'nothing is left');
    return false;
  } catch (error) {
    t.is((error as TransportError).code, 'failed_precondition');
    t.regex((error as Error).message, /^address book: \/data\/book\.lock: process \d+ uses it/);
    t.deepEqual(texts(disk), { [`${PATH}.lock`]: lock });
    return true;
  }
}

test('a lock is stale if its process does not run, or another process has its number', async (t) => {
  const token = '0123456789abcdef';
  const running: Processes = {
    own: 7,
    isRunning: (pid) => pid === 9 || pid === 7,
    birthOf: async (pid) => `boot/${pid}`,
  };
  t.true(await lockedBy(t, `9 ${token} boot/9\n`, running));
  t.true(await lockedBy(t, `9 ${token} \n`, running), 'a process of unknown start may hold it');
  t.true(await lockedBy(t, `7 ${token} boot/7\n`, running), 'this process too');
  t.false(await lockedBy(t, `8 ${token} boot/8\n`, running));
  t.false(await lockedBy(t, `9 ${token} boot/3\n`, running));
  t.false(
    await lockedBy(t, `7 ${token} earlier/7\n`, running),
    'a process in a container has the same number after each start',
  );
  t.false(await lockedBy(t, '', running), 'the machine stopped while the lock was made');
  t.false(await lockedBy(t, 'x'.repeat(40), running));
});

test('if taking over a stale lock stops at any step, the next process still takes it over', async (t) => {
  const stale = () => new FakeDisk(new Map([[`${PATH}.lock`, bytes('9 0123456789abcdef \n')]]));
  const first = stale();
  const steps = await count(first, () => bookOn(first).load(read));
  for (let step = 0; step < steps; step++) {
    for (let second = 0; second < steps; second += 3) {
      const disk = stale();
      disk.befall({ step, what: 'stop' });
      await bookOn(disk)
        .load(read)
        .catch(() => {});
      disk.befall({ step: second, what: 'stop' });
      await bookOn(disk)
        .load(read)
        .catch(() => {});
      disk.befall(undefined);
      const book = bookOn(disk);
      await book.load(read);
      t.deepEqual([...disk.names.keys()], [`${PATH}.lock`], `${step}, ${second}`);
      await book.close();
      t.is(disk.names.size, 0);
    }
  }
});

test('of many processes that find a stale lock at the same time one gets it, however their steps interleave', async (t) => {
  for (const seed of seeds(300)) {
    const disk = new FakeDisk(new Map([[`${PATH}.lock`, bytes('99 0123456789abcdef \n')]]));
    const slow = slowly(disk, seed);
    const running = new Set([1, 2, 3, 4, 5]);
    const books = [...running].map((own) =>
      bookOn(slow, { own, isRunning: (pid) => running.has(pid), birthOf: async () => undefined }),
    );
    const outcomes = await Promise.allSettled(books.map((book) => book.load(read)));
    const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    t.is(winners.length, 1, `seed ${seed}`);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        t.is(outcome.reason.code, 'failed_precondition', String(outcome.reason));
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
