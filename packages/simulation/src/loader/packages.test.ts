// Tests that unchanged packages, which were not written for simulations, work in a node, or say
// clearly why not.

import { inspect } from 'node:util';
import type { NodeContext } from '../nodes/node-context.ts';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { createLoader } from './loader.ts';

type Use = (load: (specifier: string) => Promise<any>, context: NodeContext) => Promise<unknown>;

const load = createLoader(import.meta.url);
/** The wall clock when a simulation starts: 2020. */
const DAWN = Date.UTC(2020, 0, 1);

/** Runs `use` in a node, for an hour of virtual time at most. The hash covers its result. */
async function inNode(use: Use): Promise<{ readonly seen: unknown; readonly hash: string }> {
  await using sim = createSimulation({ seed: 1 });
  let result: Promise<unknown> | undefined;
  sim.node('n1', (context) => {
    result = use((specifier) => load(context, specifier), context);
    result.then((seen) => context.state(inspect(seen))).catch(() => {});
  });
  await sim.run(0);
  const seen = await sim.settle(result!, 3_600_000);
  return { seen, hash: sim.trace.hash };
}

const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Adds a test of a package that works: twice with the same seed, it does the same. */
const serves = (what: string, expected: unknown, use: Use) =>
  test(what, async (t) => {
    const [first, second] = [await inNode(use), await inNode(use)];
    t.deepEqual(first.seen, expected);
    t.deepEqual(second, first);
  });

/** Adds a test of a package that needs what a node does not have: in each run, the error says so. */
const refuses = (what: string, call: string, by: string, remedy: string, use: Use) =>
  test(`${what}: refused`, async (t) => {
    for (const _ of ['first', 'second']) {
      const { message } = (await t.throwsAsync(inNode(use)))!;
      const text = message.replace(/ in \S*\/node_modules\/([^/]+)\S* /, ' in $1 ');
      t.is(text, `loader: ${call} in ${by} is refused in a simulation: ${remedy}`);
    }
  });

serves(
  'graceful-fs: files, and streams that it opens itself',
  ['line 0\nline 1\nline 2\n', false],
  async (load) => {
    const { default: fs } = await load('graceful-fs');
    const { finished } = await load('node:stream/promises');
    const writer = fs.createWriteStream('/log');
    for (let i = 0; i < 3; i++) writer.write(`line ${i}\n`);
    await finished(writer.end());
    await new Promise((resolve, reject) =>
      fs.rename('/log', '/old', (error: Error | null) => (error ? reject(error) : resolve(0))),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of fs.createReadStream('/old')) chunks.push(chunk);
    return [Buffer.concat(chunks).toString(), fs.existsSync('/log')];
  },
);

serves(
  'proper-lockfile: a lock that its holder keeps fresh, and that goes stale without it',
  ['ELOCKED', 'ELOCKED', 'taken over'],
  async (load, { clock }) => {
    const { lock } = await load('proper-lockfile');
    const { default: fs } = await load('graceful-fs');
    fs.writeFileSync('/data', '');
    const attempt = () =>
      lock('/data', { stale: 5_000 }).then(
        () => 'taken over',
        (error: any) => error.code,
      );
    await lock('/data', { stale: 5_000, update: 2_000, onCompromised: () => {} });
    const seen = [await attempt()];
    await clock.sleep(20_500);
    seen.push(await attempt());
    fs.rmdirSync('/data.lock');
    fs.mkdirSync('/data.lock');
    await clock.sleep(6_000);
    return [...seen, await attempt()];
  },
);

serves('lru-cache: entries expire in virtual time', [1, undefined], async (load, { clock }) => {
  const { LRUCache } = await load('lru-cache');
  const cache = new LRUCache({ max: 10, ttl: 1_000 });
  cache.set('a', 1);
  await clock.sleep(900);
  const before = cache.get('a');
  await clock.sleep(200);
  return [before, cache.get('a')];
});

serves(
  'p-queue: tasks in order, not more in an interval than it allows',
  [0, 1, 2],
  async (load, { clock }) => {
    const { default: PQueue } = await load('p-queue');
    const queue = new PQueue({ concurrency: 1, interval: 100, intervalCap: 1 });
    const begun: number[] = [];
    const start = clock.now();
    for (let i = 0; i < 3; i++)
      void queue.add(async () => void begun.push(Math.floor((clock.now() - start) / 100)));
    await queue.onIdle();
    return begun;
  },
);

serves(
  'pino: lines with the time of the node, in a file',
  [
    { level: 30, time: DAWN, term: 3, msg: 'elected' },
    { level: 40, time: DAWN + 1_000, peer: 'n2', msg: 'slow' },
  ],
  async (load, { clock }) => {
    const { default: pino } = await load('pino');
    const { readFileSync } = await load('fs');
    const file = pino.destination({ dest: '/log', minLength: 4_096, sync: false });
    const logger = pino({ base: null }, file);
    logger.info({ term: 3 }, 'elected');
    await clock.sleep(1_000);
    logger.child({ peer: 'n2' }).warn('slow');
    await new Promise((resolve) => logger.flush(resolve));
    return linesOf(readFileSync('/log', 'utf8'));
  },
);

serves(
  'winston: lines with the time of the node, in a file',
  [
    { level: 'info', message: 'elected', term: 3, timestamp: '2020-01-01T00:00:00.000Z' },
    { level: 'warn', message: 'slow', timestamp: '2020-01-01T00:00:01.000Z' },
  ],
  async (load, { clock }) => {
    const { createLogger, format, transports } = await load('winston');
    const { readFileSync } = await load('fs');
    const { combine, json, timestamp } = format;
    const file = new transports.File({ filename: '/log' });
    const logger = createLogger({ format: combine(timestamp(), json()), transports: [file] });
    logger.info('elected', { term: 3 });
    await clock.sleep(1_000);
    logger.warn('slow');
    const finished = new Promise((resolve) => file.on('finish', resolve));
    logger.end();
    await finished;
    return linesOf(readFileSync('/log', 'utf8'));
  },
);

serves('cls-hooked: a context that follows timers and promises', ['r1', 'r2'], async (load) => {
  const { createNamespace } = (await load('cls-hooked')).default;
  const { setTimeout } = await load('node:timers');
  const space = createNamespace('request');
  const get = (id: string) =>
    space.runAndReturn(async () => {
      space.set('id', id);
      await new Promise((resolve) => setTimeout(resolve, 10));
      return await new Promise((resolve) => setTimeout(() => resolve(space.get('id')), 10));
    });
  return await Promise.all([get('r1'), get('r2')]);
});

serves(
  '@opentelemetry/context-async-hooks: a context that follows timers',
  [1, 2],
  async (load) => {
    const { context, createContextKey, ROOT_CONTEXT } = await load('@opentelemetry/api');
    const { AsyncLocalStorageContextManager } = await load('@opentelemetry/context-async-hooks');
    const { setTimeout } = await load('node:timers/promises');
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const key = createContextKey('request');
    const get = (id: number) =>
      context.with(ROOT_CONTEXT.setValue(key, id), async () => {
        await setTimeout(10);
        return context.active().getValue(key);
      });
    return await Promise.all([get(1), get(2)]);
  },
);

serves(
  'memory-level: batches, and iterators in order',
  [undefined, ['log/1', 'log/3']],
  async (load) => {
    const { MemoryLevel } = await load('memory-level');
    const db = new MemoryLevel({ valueEncoding: 'json' });
    await db.batch([3, 1, 2].map((term) => ({ type: 'put', key: `log/${term}`, value: { term } })));
    await db.del('log/2');
    return [await db.get('log/2'), await db.keys({ gte: 'log/' }).all()];
  },
);

serves(
  'uuid: versions 4 and 7 from the chance and the time of the node',
  [4, 7, 5_000, true],
  async (load, { clock, state }) => {
    const { v4, v7, version } = await load('uuid');
    const timeOf = (id: string) => Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    const [random, first] = [v4(), v7()];
    await clock.sleep(5_000);
    const second = v7();
    state({ random, first, second });
    return [version(random), version(first), timeOf(second) - timeOf(first), first < second];
  },
);

serves(
  'msgpackr: without its native addon',
  [false, { term: 3, votes: new Set(['n1']), at: new Date(5) }],
  async (load) => {
    const { isNativeAccelerationEnabled, Packr } = await load('msgpackr');
    const packr = new Packr({ moreTypes: true });
    return [
      isNativeAccelerationEnabled,
      packr.unpack(packr.pack({ term: 3, votes: new Set(['n1']), at: new Date(5) })),
    ];
  },
);

serves(
  'protobufjs: messages whose code it makes at run time',
  { term: 3, from: 'n1' },
  async (load) => {
    const {
      default: { parse },
    } = await load('protobufjs');
    const { root } = parse('syntax = "proto3"; message Vote { uint32 term = 1; string from = 2; }');
    const Vote = root.lookupType('Vote');
    return Vote.toObject(Vote.decode(Vote.encode({ term: 3, from: 'n1' }).finish()));
  },
);

serves('zod: schemas whose code it makes at run time', [['term'], ['from']], async (load) => {
  const z = await load('zod');
  const vote = z.object({ term: z.int().min(1), from: z.string() });
  vote.parse({ term: 3, from: 'n1' });
  return vote.safeParse({ term: 0 }).error.issues.map(({ path }: any) => path);
});

serves('rxjs: operators that count time', [100, 100, 100], async (load) => {
  const { interval, lastValueFrom, take, timeInterval, toArray } = await load('rxjs');
  const ticks = interval(100).pipe(take(3), timeInterval(), toArray());
  return (await lastValueFrom(ticks)).map(({ interval }: any) => interval);
});

serves(
  'luxon: the time of the node, in any time zone',
  ['1:30', '2020-01-01T09:01:30.000+09:00', 'Jan 1, 2020, 9:01 AM'],
  async (load, { clock }) => {
    const { DateTime } = await load('luxon');
    const start = DateTime.now();
    await clock.sleep(90_000);
    const end = DateTime.now().setZone('Asia/Tokyo');
    return [
      end.diff(start).toFormat('m:ss'),
      end.toISO(),
      end.toLocaleString(DateTime.DATETIME_MED),
    ];
  },
);

serves('undici: requests that its own agent answers', 'elected', async (load) => {
  const { fetch, MockAgent, setGlobalDispatcher } = await load('undici');
  const agent = new MockAgent();
  setGlobalDispatcher(agent);
  agent.get('http://n2').intercept({ path: '/' }).reply(200, 'elected');
  return await (await fetch('http://n2/')).text();
});

const SOCKETS = 'nodes reach each other only through transport() of the node';
const THREADS = 'use an option of the package that works without threads, as most have';
const PROCESSES = 'start another node with sim.node, or use a version that needs no process';

refuses(
  'pino with a transport',
  'worker_threads.Worker()',
  'thread-stream',
  THREADS,
  async (load) => {
    const { default: pino } = await load('pino');
    pino({ transport: { target: 'pino/file' } });
  },
);

refuses('piscina', 'worker_threads.Worker()', 'piscina', THREADS, async (load) => {
  const { Piscina } = await load('piscina');
  await new Piscina({ filename: '/work.js' }).run(1);
});

refuses('express that listens', 'http.createServer()', 'express', SOCKETS, async (load) => {
  const { default: express } = await load('express');
  const app = express();
  app.get('/', (_: unknown, response: any) => response.send('hello'));
  app.listen(80);
});

refuses('ws that connects', 'http.request()', 'ws', SOCKETS, async (load) => {
  const { WebSocket } = await load('ws');
  new WebSocket('ws://n2');
});

refuses('ws that listens', 'http.createServer()', 'ws', SOCKETS, async (load) => {
  const { WebSocketServer } = await load('ws');
  new WebSocketServer({ noServer: true });
  new WebSocketServer({ port: 80 });
});

refuses('undici', 'net.connect()', 'undici', SOCKETS, async (load) => {
  const { fetch } = await load('undici');
  await fetch('http://n2/').catch(({ cause }: Error) => Promise.reject(cause));
});

refuses('multicast-dns', 'dgram.createSocket()', 'multicast-dns', SOCKETS, async (load) => {
  const { default: multicastDns } = await load('multicast-dns');
  multicastDns();
});

refuses('cross-spawn', 'child_process.spawn()', 'cross-spawn', PROCESSES, async (load) => {
  const { default: spawn } = await load('cross-spawn');
  spawn('ls');
});
