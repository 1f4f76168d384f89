// Tests of the simulated file system: its calls, which are compared with those of the real one, and
// its disk.

import realFs, { mkdtempSync, rmSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { seededRandom } from '@trunkline/transport-core/testing';
import { createLoader, fileSystem } from '../../index.loader.ts';
import {
  createSimulation,
  type DiskOptions,
  type NodeContext,
  type Simulation,
} from '../../index.ts';
import test from '../../testing/serial.ts';
import { folderWith } from '../testing/folder-with.ts';

type Fs = typeof import('node:fs');

/** Runs a simulation of one node, whose current file system `fs()` returns. */
async function withNode<T>(
  disk: DiskOptions,
  use: (sim: Simulation, fs: () => Fs, context: () => NodeContext) => Promise<T>,
  seed = 1,
): Promise<T> {
  const sim = createSimulation({ seed });
  let context: NodeContext | undefined;
  sim.node('a', (own) => void (context = own), { disk });
  await sim.run(1);
  try {
    return await use(
      sim,
      () => fileSystem(context!),
      () => context!,
    );
  } finally {
    await sim.close();
  }
}

/** Crashes and restarts the node. */
async function crash(sim: Simulation): Promise<void> {
  sim.crash('a');
  sim.restart('a');
  await sim.run(1);
}

const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

/** Performs a random call of a random kind. Returns the comparable part of its result. */
function randomCall(fs: Fs, root: string, random: () => number, open: number[]): unknown {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const path = () => join(root, pick(['a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'none/a']));
  const text = () => 'x'.repeat(Math.floor(random() * 20)) + Math.floor(random() * 10);
  const [one, two, data, number] = [path(), path(), text(), 1 + Math.floor(random() * 12)];
  const flags = pick(['r', 'r+', 'w', 'w+', 'a', 'a+', 'wx', 'ax+']);
  const index = Math.floor(random() * open.length);
  const fd = open[index]!;
  const shape = (stats: Stats) => [stats.isFile(), stats.isFile() && stats.size];
  const onPaths: Record<string, () => unknown> = {
    write: () => fs.writeFileSync(one, data),
    append: () => fs.appendFileSync(one, data),
    read: () => fs.readFileSync(one, 'utf8'),
    rename: () => fs.renameSync(one, two),
    unlink: () => fs.unlinkSync(one),
    mkdir: () => fs.mkdirSync(one),
    mkdirs: () => fs.mkdirSync(one, { recursive: true })?.slice(root.length),
    rmdir: () => fs.rmdirSync(one),
    // Some releases of Node let `force` ignore a path through a file.
    rm: () =>
      fs.rmSync(one, {
        recursive: true,
        force: number < 6 && fs.statSync(dirname(one)).isDirectory(),
      }),
    readdir: () =>
      fs
        .readdirSync(one, { withFileTypes: true })
        .map((each) => [each.name, each.isFile()])
        .sort(),
    stat: () => shape(fs.statSync(one)),
    link: () => fs.linkSync(one, two),
    // The system removes the target of a copied directory; no code relies on that.
    copy: () =>
      fs.statSync(one).isDirectory() ||
      fs.copyFileSync(one, two, number < 6 ? fs.constants.COPYFILE_EXCL : 0),
    truncate: () => fs.truncateSync(one, number),
    exists: () => fs.existsSync(one),
    access: () => fs.accessSync(one),
    open: () => void (open.length < 6 && open.push(fs.openSync(one, flags))),
  };
  const onFiles: Record<string, () => unknown> = {
    close: () => fs.closeSync(open.splice(index, 1)[0]!),
    fdRead: () => {
      const buffer = Buffer.alloc(number);
      const count = fs.readSync(fd, buffer, 0, number, number < 6 ? null : number);
      return [count, buffer.toString('latin1')];
    },
    fdWrite: () => fs.writeSync(fd, data, number < 6 ? null : number),
    fdTruncate: () => fs.ftruncateSync(fd, number),
    fdStat: () => shape(fs.fstatSync(fd)),
    fsync: () => fs.fsyncSync(fd),
  };
  const often = ['write', 'rename', 'open', 'fdWrite'];
  const kind = pick([...Object.keys(onPaths), ...Object.keys(onFiles), ...often]);
  const act = onPaths[kind] ?? (fd === undefined ? () => {} : onFiles[kind]!);
  try {
    return [kind, one.slice(root.length), act()];
  } catch (error) {
    return [kind, one.slice(root.length), codeOf(error)];
  }
}

test('random calls have the results of the real file system', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const root = mkdtempSync(join(tmpdir(), 'trunkline-fs-'));
    t.teardown(() => rmSync(root, { recursive: true, force: true }));
    const [real, virtual] = [seededRandom(seed), seededRandom(seed)];
    const [realOpen, virtualOpen]: [number[], number[]] = [[], []];
    await withNode({}, async (_sim, fs) => {
      const simulated = fs();
      simulated.mkdirSync('/root');
      for (let i = 0; i < 400; i++)
        t.deepEqual(
          randomCall(simulated, '/root', virtual, virtualOpen),
          randomCall(realFs, root, real, realOpen),
          `call ${i} of seed ${seed}`,
        );
      for (const fd of realOpen) realFs.closeSync(fd);
    });
  }
});

test('callbacks, promises and handles do what the synchronous calls do', async (t) => {
  await withNode({ latency: 2, sync: 5 }, async (sim, fs) => {
    const { promises } = fs();
    const began = sim.now;
    await sim.settle(promises.writeFile('/a', 'one'));
    t.is(sim.now - began, 6, 'open, write and close take 2 ms each');
    const handle = await sim.settle(promises.open('/a', 'r+'));
    const { bytesRead, buffer } = await sim.settle(handle.read(Buffer.alloc(8), 0, 8, 0));
    t.deepEqual([bytesRead, buffer.toString('utf8', 0, 3)], [3, 'one']);
    t.is((await sim.settle(handle.write('two', 3))).bytesWritten, 3);
    t.is((await sim.settle(handle.stat())).size, 6);
    const before = sim.now;
    await sim.settle(handle.sync());
    t.is(sim.now - before, 5);
    await sim.settle(handle.close());
    const read = new Promise((resolve, reject) =>
      fs().readFile('/a', 'utf8', (error, text) => (error ? reject(error) : resolve(text))),
    );
    t.is(await sim.settle(read), 'onetwo');
    const stat = await sim.settle(promises.stat('/a', { bigint: true }));
    t.deepEqual([stat.size, stat.mtime.toISOString().slice(0, 10)], [6n, '2020-01-01']);
    await t.throwsAsync(sim.settle(promises.readFile('/none')), {
      code: 'ENOENT',
      message: "ENOENT: no such file or directory, open '/none'",
    });
    t.throws(() => fs().cpSync('/a', '/b'), {
      message: 'fs.cpSync() is not available in a simulated node',
    });
  });
});

test('synchronous calls stop the node for as long as they take', async (t) => {
  await withNode({ latency: 10 }, async (sim, fs, context) => {
    const { clock } = context();
    const began = sim.now;
    let firedAt = 0;
    clock.setTimeout(() => void (firedAt = sim.now), 1);
    fs().writeFileSync('/a', 'x');
    await sim.run(100);
    t.is(firedAt - began, 30);
  });
});

test('a crash loses data and names that were not synced', async (t) => {
  await withNode({}, async (sim, fs) => {
    const sync = (path: string) => {
      const fd = fs().openSync(path, 'r');
      fs().fsyncSync(fd);
      fs().closeSync(fd);
    };
    fs().writeFileSync('/unsynced', 'x');
    fs().writeFileSync('/nameless', 'x');
    sync('/nameless');
    fs().writeFileSync('/empty', 'x');
    sync('/');
    fs().writeFileSync('/safe', 'x');
    sync('/safe');
    sync('/');
    fs().appendFileSync('/safe', 'y');
    await crash(sim);
    t.deepEqual(fs().readdirSync('/'), ['empty', 'nameless', 'safe', 'tmp', 'unsynced']);
    const found = ['empty', 'nameless', 'safe', 'unsynced'].map((name) =>
      fs().readFileSync(`/${name}`, 'utf8'),
    );
    t.deepEqual(found, ['', 'x', 'x', '']);

    fs().writeFileSync('/new', 'x');
    sync('/new');
    fs().renameSync('/new', '/safe');
    fs().mkdirSync('/d');
    await crash(sim);
    t.deepEqual(fs().readdirSync('/'), ['empty', 'nameless', 'safe', 'tmp', 'unsynced']);
    t.is(fs().readFileSync('/safe', 'utf8'), 'x', 'neither the rename nor what came before it');
  });
});

test('a sync covers the changes made before it, but none made while it runs', async (t) => {
  await withNode({ sync: 10 }, async (sim, fs) => {
    const fd = fs().openSync('/a', 'w');
    fs().fsyncSync(fs().openSync('/', 'r'));
    fs().writeSync(fd, 'before');
    const synced = new Promise((resolve) => fs().fsync(fd, resolve));
    fs().writeSync(fd, ', after');
    await sim.settle(synced);
    await crash(sim);
    t.is(fs().readFileSync('/a', 'utf8'), 'before');
  });
});

test('a rename between two directories is durable in both or in neither', async (t) => {
  for (const synced of [undefined, '/from', '/to']) {
    await withNode({}, async (sim, fs) => {
      const sync = (path: string) => fs().fsyncSync(fs().openSync(path, 'r'));
      fs().mkdirSync('/from');
      fs().mkdirSync('/to');
      fs().writeFileSync('/from/a', 'a');
      fs().writeFileSync('/to/a', 'b');
      for (const path of ['/from/a', '/to/a', '/from', '/to', '/']) sync(path);
      fs().renameSync('/from/a', '/to/a');
      if (synced !== undefined) sync(synced);
      await crash(sim);
      t.deepEqual(fs().readdirSync('/from'), synced === undefined ? ['a'] : []);
      t.is(fs().readFileSync('/to/a', 'utf8'), synced === undefined ? 'b' : 'a');
    });
  }
});

test('with a journal, the sync of a file makes names durable, too', async (t) => {
  await withNode({ journal: true }, async (sim, fs) => {
    fs().mkdirSync('/d');
    fs().writeFileSync('/d/a', 'a', { flush: true });
    fs().writeFileSync('/d/b', 'b');
    await crash(sim);
    t.deepEqual(fs().readdirSync('/d'), ['a']);
    t.is(fs().readFileSync('/d/a', 'utf8'), 'a');
  });
});

test('torn and reordered writes survive in part, in many combinations', async (t) => {
  const ends = new Map<string, Set<string>>();
  for (const [name, disk] of [
    ['torn', { torn: 1 }],
    ['reordered', { reordered: 1 }],
  ] as const)
    for (let seed = 1; seed <= 60; seed++)
      await withNode(
        disk,
        async (sim, fs) => {
          fs().writeFileSync('/a', 'old!', { flush: true });
          fs().fsyncSync(fs().openSync('/', 'r'));
          fs().writeFileSync('/a~', 'newer');
          fs().renameSync('/a~', '/a');
          await crash(sim);
          const text = JSON.stringify(fs().readFileSync('/a', 'utf8'));
          ends.set(name, (ends.get(name) ?? new Set()).add(text));
        },
        seed,
      );
  const [torn, reordered] = [ends.get('torn')!, ends.get('reordered')!];
  t.deepEqual([...torn].sort(), ['"newer"', '"old!"']);
  t.true(reordered.has('""'), 'the rename survives, what was written before it does not');
  t.true(reordered.has('"old!"') && reordered.has('"newer"'));
  t.true(reordered.size === 3, [...reordered].join());
});

test('a torn write leaves the first bytes, and zeros', async (t) => {
  const texts = new Set<string>();
  for (let seed = 1; seed <= 40; seed++)
    await withNode(
      { torn: 1 },
      async (sim, fs) => {
        fs().writeFileSync('/a', 'old', { flush: true });
        fs().fsyncSync(fs().openSync('/', 'r'));
        const fd = fs().openSync('/a', 'r+');
        fs().writeSync(fd, 'newer', 0);
        await crash(sim);
        texts.add(fs().readFileSync('/a', 'utf8'));
      },
      seed,
    );
  t.true(
    texts.has('nld\0\0') && texts.has('newe\0'),
    [...texts].map((text) => JSON.stringify(text)).join(),
  );
  for (const text of texts) t.regex(text, /^(?:old\0\0|nld\0\0|ned\0\0|new\0\0|newe\0)$/);
});

test('files share the capacity of the disk with the store', async (t) => {
  await withNode({ capacity: 100 }, async (sim, fs, context) => {
    await sim.settle(context().store.set('key', new Uint8Array(47)));
    fs().writeFileSync('/a', 'x'.repeat(40));
    t.throws(() => fs().appendFileSync('/a', 'x'.repeat(11)), { code: 'ENOSPC' });
    t.is(fs().statSync('/a').size, 40);
    await t.throwsAsync(sim.settle(context().store.set('more', new Uint8Array(10))), {
      code: 'resource_exhausted',
    });
    fs().appendFileSync('/a', 'x'.repeat(10));
  });
});

test('writes and syncs fail with EIO, and a bit that rots stays flipped', async (t) => {
  await withNode({}, async (sim, fs) => {
    fs().writeFileSync('/a', '\0\0\0\0', { flush: true });
    sim.disk('a', { failure: 1 });
    t.throws(() => fs().writeFileSync('/a', 'x'), {
      code: 'EIO',
      message: "EIO: i/o error, open '/a'",
    });
    const fd = fs().openSync('/a', 'r');
    t.throws(() => fs().fsyncSync(fd), { code: 'EIO' });
    sim.disk('a', { rot: 1 });
    const bits = () =>
      fs()
        .readFileSync('/a')
        .reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    t.is(bits(), 1);
    sim.disk('a', {});
    t.is(bits(), 1);
  });
});

test('a node that stops with open files leaks them', async (t) => {
  const sim = createSimulation();
  sim.node('a', (context) => void fileSystem(context).openSync('/a', 'w'));
  await sim.run(1);
  t.deepEqual(
    (await sim.close()).map(({ kind, what }) => [kind, what]),
    [['file', 'a left 1 files open: close them when it stops']],
  );
});

test('streams read and write files before time moves on', async (t) => {
  await withNode({}, async (sim, fs) => {
    const began = sim.now;
    const writer = fs().createWriteStream('/a', { flush: true } as object);
    for (let i = 0; i < 50; i++) writer.write('x'.repeat(1_000));
    await sim.settle(new Promise((resolve) => writer.end(resolve)));
    const chunks: number[] = [];
    const read = async () => {
      for await (const chunk of fs().createReadStream('/a', {
        start: 10,
        end: 49_999,
        highWaterMark: 20_000,
      }))
        chunks.push((chunk as Buffer).length);
    };
    await sim.settle(read());
    t.deepEqual(chunks, [20_000, 20_000, 9_990]);
    t.is(sim.now - began, 1, 'the sync takes 1 ms, all else nothing');
    await t.throwsAsync(
      sim.settle(new Promise((_, reject) => fs().createReadStream('/none').on('error', reject))),
      { code: 'ENOENT' },
    );
  });
});

const PACKAGE = {
  'node_modules/log/package.json': '{"name":"log","version":"1.2.3","main":"index.js"}',
  'node_modules/log/index.js': `
    const fs = require('fs'), path = require('path');
    exports.version = JSON.parse(fs.readFileSync(path.join(__dirname, 'package.json'), 'utf8')).version;
    exports.where = () => [process.cwd(), path.resolve('x'), require('os').hostname()];
    exports.open = (folder, safe) => {
      fs.mkdirSync(folder, { recursive: true });
      const file = path.join(folder, 'log');
      const fd = fs.openSync(file, 'a');
      if (safe) for (const each of ['/', folder]) {
        const directory = fs.openSync(each, 'r');
        fs.fsyncSync(directory);
        fs.closeSync(directory);
      }
      return {
        read: () => fs.readFileSync(file, 'utf8').split('\\n').filter(Boolean),
        append: (line, done) => fs.write(fd, line + '\\n', (error) => {
          if (error || !safe) done(error);
          else fs.fsync(fd, done);
        }),
      };
    };`,
};

test('loaded code uses the disk of its node, and reads the files of its package', async (t) => {
  const load = createLoader(folderWith(t, PACKAGE));
  const sim = createSimulation();
  const seen: unknown[] = [];
  for (const name of ['n1', 'n2'])
    sim.node(name, async (context) => {
      const log = await load(context, 'log');
      const opened = log.open('data', false);
      await new Promise((resolve) => opened.append(name, resolve));
      seen.push([log.version, log.where(), opened.read()]);
    });
  await sim.run(10);
  await sim.close();
  t.deepEqual(
    seen,
    ['n1', 'n2'].map((name) => ['1.2.3', ['/', '/x', name], [name]]),
  );
  t.false(realFs.existsSync('/data'));
});

test('a search finds the library that forgets a sync, and passes the one that does not', async (t) => {
  const { explore, nemeses } = await import('../../index.ts');
  const from = folderWith(t, PACKAGE);
  for (const safe of [true, false]) {
    const load = createLoader(from);
    const { passed, failed } = await explore({
      name: `log-${safe}`,
      seeds: 20,
      nemesis: nemeses.crashes({ duration: 5_000 }),
      disk: { latency: [0, 2], torn: 0.2, reordered: 0.2 },
      scenario: async (sim) => {
        const acknowledged: string[] = [];
        for (const name of ['n1', 'n2', 'n3'])
          sim.node(name, async (context) => {
            const log = (await load(context, 'log')).open('/data', safe);
            const found = new Set(log.read());
            for (const line of acknowledged)
              if (line.startsWith(name) && !found.has(line)) throw new Error(`${line} is lost`);
            for (let i = 0; ; i++) {
              const line = `${name} ${context.clock.now()} ${i}`;
              await new Promise<void>((resolve, reject) =>
                log.append(line, (error: unknown) => (error ? reject(error) : resolve())),
              );
              acknowledged.push(line);
              await context.clock.sleep(50);
            }
          });
        await sim.run(6_000);
      },
    });
    t.is(failed.length, safe ? 0 : 1, failed[0]?.error.message);
    if (safe) t.is(passed, 20);
    else t.regex(failed[0]!.error.message, /is lost/);
    for (const { schedule } of failed) t.true(schedule.length <= 4, `${schedule.length} faults`);
  }
});

test('the files 1 and 2 are the output of the program', async (t) => {
  const { stdout, stderr } = process;
  const originals = [stdout.write, stderr.write] as const;
  t.teardown(() => void ([stdout.write, stderr.write] = originals));
  const seen: string[] = [];
  const collect = (bytes: unknown) => seen.push(Buffer.from(bytes as string).toString()) > 0;
  stdout.write = stderr.write = collect;
  await withNode({}, async (_, fs) => {
    t.is(fs().writeSync(1, 'out'), 3);
    t.is(fs().writevSync(2, [Buffer.from('err'), Buffer.from('or')]), 5);
  });
  t.deepEqual(seen, ['out', 'error']);
});

test('a context that is a copy is refused', (t) => {
  t.throws(() => fileSystem({} as NodeContext), {
    instanceOf: TypeError,
    message: /needs the context that the simulation passes/,
  });
});
