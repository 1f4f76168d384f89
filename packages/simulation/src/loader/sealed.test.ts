// Tests that loaded code reaches neither the disk, the processes, the clock nor the chance of the
// machine, by any door.

import diagnostics from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { ExecutionContext } from 'ava';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { knownBuiltins, policyOf } from './builtins.ts';
import { createLoader } from './loader.ts';
import { folderWith } from './testing/folder-with.ts';

/** Evaluates a CommonJS module in a node, and returns what the function that it exports returns. */
async function inNode(t: ExecutionContext, source: string, seed = 1): Promise<any> {
  const load = createLoader(folderWith(t, { 'main.cjs': source, 'other.mjs': 'export default 7' }));
  await using sim = createSimulation({ seed });
  let result: unknown;
  sim.node('n1', async (context) => {
    result = await (await load(context, './main.cjs')).default();
  });
  await sim.run(5_000);
  return result;
}

/** The source of a module that tries expressions, each in a function. */
const trying = (expressions: readonly string[]) => `
  const attempts = [${expressions.map((each) => `async () => (${each})`).join(',\n')}];
  module.exports = async () => {
    const seen = [];
    for (const attempt of attempts)
      seen.push(await attempt().then((value) => 'done: ' + String(value), (error) => error.message));
    return seen;
  };`;

test('each built-in module of this Node has a policy', (t) => {
  const names = builtinModules.map((name) => name.replace(/^node:/, ''));
  t.deepEqual(
    names.filter((name) => !knownBuiltins.includes(name)),
    [],
  );
  t.like(policyOf('not-yet-known'), { remedy: 'the loader does not know this module' });
});

test('each built-in module can be imported and looked at, whatever its policy', async (t) => {
  const names = builtinModules.filter((name) => !/^(?:node:ffi|sys|punycode)$/.test(name));
  const seen = await inNode(
    t,
    `module.exports = () => {
      for (const name of ${JSON.stringify(names)}) {
        const module = require(name);
        for (const key of Object.keys(module)) {
          const { [key]: member } = module;
          const isClass = /^[A-Z]/.test(key) && typeof member === 'function' && member.prototype;
          if (isClass) { class Derived extends member {} }
        }
      }
      return 'all';
    }`,
  );
  t.is(seen, 'all');
});

test('what is refused names itself, the file and the remedy, at the call', async (t) => {
  const calls: Record<string, string> = {
    "require('child_process').execSync('true')": 'child_process.execSync()',
    "require('node:child_process').spawn('true')": 'child_process.spawn()',
    "require('util').promisify(require('child_process').exec)('true')": 'child_process.exec.',
    "new (require('worker_threads').Worker)('1', { eval: true })": 'worker_threads.Worker()',
    "new (class extends require('net').Socket {})": 'net.Socket()',
    "require('net').Socket.prototype.connect.call({}, 1)": 'net.Socket.prototype.connect()',
    "new (require('net').Socket.prototype.constructor)": 'net.Socket()',
    "require('http').createServer()": 'http.createServer()',
    "require('https').get('https://localhost')": 'https.get()',
    "require('dns').promises.lookup('localhost')": 'dns.promises.lookup()',
    "require('cluster').fork()": 'cluster.fork()',
    "require('vm').runInNewContext('Date.now()')": 'vm.runInNewContext()',
    "new (require('vm').Script)('1')": 'vm.Script()',
    "require('v8').getHeapStatistics()": 'v8.getHeapStatistics()',
    "require('inspector').open()": 'inspector.open()',
    "require('zlib').createGzip()": 'zlib.createGzip()',
    'process.dlopen({ exports: {} }, "/x.node")': 'process.dlopen()',
    "process.binding('fs')": 'process.binding()',
    "process._linkedBinding('fs')": 'process._linkedBinding()',
    "process.report.writeReport('/tmp/report')": 'process.report.writeReport()',
    "require('module')._extensions['.node']?.() ?? require('module').register('./x.mjs')":
      'module.register()',
    "new (require('module'))('x')": 'module()',
    "new BroadcastChannel('x')": 'BroadcastChannel()',
    "new (require('worker_threads').BroadcastChannel)('x')": 'worker_threads.BroadcastChannel()',
    'performance.eventLoopUtilization()': 'performance.eventLoopUtilization()',
    "new PerformanceMark('x')": 'PerformanceMark()',
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)': 'Atomics.wait()',
    "fetch('http://localhost')": 'fetch()',
    "new CompressionStream('gzip')": 'CompressionStream()',
    "crypto.subtle.generateKey('Ed25519', true, ['sign'])": 'crypto.subtle.generateKey()',
    "require('crypto').generateKeyPairSync('ed25519')": 'crypto.generateKeyPairSync()',
    "require('crypto').createECDH('secp256k1')": 'crypto.createECDH()',
    "require('crypto').generatePrimeSync(32)": 'crypto.generatePrimeSync()',
    "require('crypto').generateKeySync('hmac', { length: 64 })": 'crypto.generateKeySync()',
    "process.getBuiltinModule('net').connect(1)": 'net.connect()',
    "require('module').createRequire(__filename)('net').connect(1)": 'net.connect()',
    "require('module')._load('net', module).connect(1)": 'net.connect()',
    "import('node:net').then(({ connect }) => connect(1))": 'net.connect()',
  };
  const seen = await inNode(t, trying(Object.keys(calls)));
  for (const [index, [call, name]] of Object.entries(calls).entries()) {
    t.true(seen[index].startsWith(`loader: ${name}`), `${call}: ${seen[index]}`);
    t.regex(seen[index], /\(\) in .*main\.cjs is refused in a simulation: .{15}/, call);
  }
});

test('every door to node:fs leads to the disk of the node', async (t) => {
  const path = join(tmpdir(), `sealed-${process.pid}`);
  const write = `.writeFileSync('/x', '1'), require('fs').readFileSync('/x', 'utf8')`;
  const doors = [
    `require('fs')${write}`,
    `require('module').createRequire(__filename)('fs')${write}`,
    `require('module').createRequire(require('url').pathToFileURL(__filename))('node:fs')${write}`,
    `process.getBuiltinModule('fs')${write}`,
    `module.require('fs')${write}`,
    `require('module')._load('fs')${write}`,
    `require('module').Module._load('fs')${write}`,
    `(0, eval)('process').getBuiltinModule('fs')${write}`,
    `new Function('return process')().getBuiltinModule('fs')${write}`,
    `Function('return this')().process.getBuiltinModule('fs')${write}`,
    `(function () { return this })().process.getBuiltinModule('fs')${write}`,
    `(await new Function('name', 'return import(name)')('fs')).default${write}`,
    `(await (0, eval)("import('fs')")).default${write}`,
  ];
  const seen = await inNode(t, trying(doors));
  for (const [index, door] of doors.entries()) t.is(seen[index], 'done: 1', door);
  const real = await inNode(
    t,
    trying([`require('fs').writeFileSync(${JSON.stringify(path)}, '')`]),
  );
  t.regex(real[0], /ENOENT|done/);
  t.false(existsSync(path));
});

test('ES modules import, export and extend what is refused', async (t) => {
  const files = {
    'all.mjs': `export * from 'node:net'; export { Worker as Thread } from 'worker_threads'`,
    'main.mjs': `
      import net, { Socket, isIP } from 'node:net';
      import * as child from 'child_process';
      import { Thread, connect } from './all.mjs';
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      class Line extends Socket {}
      const { exec, spawn = exec } = child;
      const message = (call) => { try { return call() } catch (error) { return error.message } };
      const indirect = eval;
      export const same = [net.Socket === Socket, require('net').Socket === Socket, isIP('::1')];
      export const errors = [() => new Line(), () => new Thread('x'), () => connect(1), () => exec('true'),
        () => spawn('true'), () => indirect('process').binding('fs')].map(message);
      export const made = [indirect('Date') === Date, eval('Date') === Date, eval('same').length]`,
  };
  const load = createLoader(folderWith(t, files));
  await using sim = createSimulation();
  let seen: any;
  sim.node('n1', async (context) => void (seen = await load(context, './main.mjs')));
  await sim.run(10);
  t.deepEqual(seen.same, [true, true, 6]);
  t.deepEqual(seen.made, [true, true, 3]);
  const names = ['net.Socket', 'worker_threads.Worker', 'net.connect', 'child_process.exec'];
  for (const [index, name] of [...names, 'child_process.spawn', 'process.binding'].entries())
    t.regex(seen.errors[index], new RegExp(`^loader: ${name}\\(\\) in .*main\\.mjs is refused`));
});

test('code that is made at run time sees the globals of the node', async (t) => {
  const seen = await inNode(
    t,
    trying([
      `Function('return Date.now()')() === Date.now()`,
      `new Function('a', 'b', 'return a + b + Date.now()')(1, 2) === 3 + Date.now()`,
      `(0, eval)('Date.now()') === Date.now()`,
      `globalThis.eval('Date') === Date && eval?.('Date') === Date`,
      `(() => { const local = 5; return eval('local + (0, eval)("Date.now()")') === 5 + Date.now() })()`,
      `[eval].map((each) => each('1 + 1'))[0]`,
      `(({ eval: e }) => e('Date') === Date)({ eval })`,
      `Function('return this')() === globalThis && (function () { return this })() === globalThis`,
      `new Function() instanceof Function && (() => {}) instanceof Function`,
      `String(Function('a', 'return a'))`,
      `Function('a', '}')`,
      `(0, eval)(7)`,
      `(() => {}).constructor('return Date.now()')() === Date.now()`,
      `new (async () => {}).constructor('return process.cwd()')()`,
      `new (Object.getPrototypeOf(function* () {}).constructor)('yield process.cwd()')().next().value`,
      `new new Date().constructor().getTime() === Date.now() && new Date().constructor === Date`,
      `((f) => [f?.constructor.name, f?.constructor].length)()`,
      `((o) => { o.constructor = 1; [o.constructor] = [2]; o.constructor++; return o.constructor + delete o.constructor })({})`,
      `((A) => new new A().constructor() instanceof A)(class {})`,
      `Function('name', 'return import(name)')('./other.mjs').then((module) => module.default)`,
    ]),
  );
  t.deepEqual(seen, [
    ...Array.from({ length: 5 }, () => 'done: true'),
    'done: 2',
    'done: true',
    'done: true',
    'done: true',
    'done: function anonymous(a\n) {\nreturn a\n}',
    `Unexpected token '}'`,
    'done: 7',
    'done: true',
    'done: /',
    'done: /',
    'done: true',
    'done: 2',
    'done: 4',
    'done: true',
    'done: 7',
  ]);
});

test('time and chance are those of the node wherever Node shows them', async (t) => {
  const source = trying([
    `new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', dateStyle: 'short' }).format()`,
    `Intl.DateTimeFormat('de', { timeZone: 'UTC' }).formatToParts().map(({ value }) => value).join('')`,
    `new Intl.DateTimeFormat() instanceof Intl.DateTimeFormat`,
    `new File([], 'x').lastModified === Date.now()`,
    `new File([], 'x', { lastModified: 5 }).lastModified`,
    `new (require('buffer').File)([], 'x').lastModified === Date.now()`,
    `new Event('x').timeStamp`,
    `[require('os').uptime(), require('os').loadavg(), require('os').freemem() > 0]`,
    `process.resourceUsage().maxRSS + process.availableMemory()`,
    `typeof Temporal === 'undefined' ? 'none' : Temporal.Now.instant()`,
    `(() => { const o = {}; const ref = new WeakRef(o); return [ref.deref() === o, String(ref), ref instanceof WeakRef] })()`,
    `(() => { const token = {}; const all = new FinalizationRegistry(() => {}); all.register({}, 1, token); return [all.unregister(token), all.unregister(token)] })()`,
    `new WeakRef(1)`,
    `require('crypto').createHash('md5').update('').digest('hex')`,
    `new Promise((resolve) => require('crypto').scrypt('a', 'b', 4, (_, key) => resolve(key.length)))`,
    `WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(({ module }) => module instanceof WebAssembly.Module)`,
    `require('util').promisify(require('zlib').gzip)('abc').then((bytes) => require('zlib').gunzipSync(bytes))`,
  ]);
  const seen = await inNode(t, source);
  t.deepEqual(seen.slice(0, 9), [
    'done: 1/1/20',
    'done: 1.1.2020',
    'done: true',
    'done: true',
    'done: 5',
    'done: true',
    'done: 0',
    'done: 0,0,0,0,true',
    `done: ${2 ** 30}`,
  ]);
  t.regex(seen[9], /^done: none|^loader: Temporal\.Now\.instant\(\)/);
  t.deepEqual(seen.slice(10, 12), ['done: true,[object WeakRef],true', 'done: true,false']);
  t.regex(seen[12], /WeakRef/);
  t.deepEqual(seen.slice(13), [
    'done: d41d8cd98f00b204e9800998ecf8427e',
    'done: 4',
    'done: true',
    'done: abc',
  ]);
});

test('signatures with random numbers are refused, the others work', async (t) => {
  const seen = await inNode(
    t,
    `const crypto = require('crypto');
    ${trying([
      `crypto.sign('sha256', Buffer.from('a'), key('${EC}'))`,
      `crypto.createSign('sha256').update('a').sign(key('${EC}'))`,
      `crypto.sign(null, Buffer.from('a'), key('${ED}')).length`,
    ])}
    const key = (der) => crypto.createPrivateKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'pkcs8' });`,
  );
  t.regex(seen[0], /^loader: crypto\.sign\(\) with ec in .*main\.cjs is refused/);
  t.regex(seen[1], /^loader: crypto\.sign\(\) with ec in .*main\.cjs is refused/);
  t.is(seen[2], 'done: 64');
});

test('nothing of the machine is visible: environment, arguments, user, system', async (t) => {
  const seen = await inNode(
    t,
    `const os = require('os');
    module.exports = () => [process.env, process.argv, process.send, process.platform, process.arch,
      os.homedir(), os.userInfo().username, os.platform(), os.cpus().length, os.networkInterfaces(),
      String(require('url').pathToFileURL('a b/')), require('path').resolve('x'),
      os.hostname(), require('tty').isatty(1), process.getuid(), process.listenerCount('exit'),
      typeof navigator === 'undefined' ? 'en-US' : navigator.language]`,
  );
  t.deepEqual(seen, [
    {},
    ['/usr/bin/node', '/main.js'],
    undefined,
    'linux',
    'x64',
    '/',
    'node',
    'linux',
    1,
    {},
    'file:///a%20b/',
    '/x',
    'n1',
    false,
    1000,
    0,
    'en-US',
  ]);
});

test('a scenario gives each node its environment and arguments', async (t) => {
  const source = `module.exports = [process.env.MODE, process.env.RETRIES, require('util').parseArgs({ options: { name: { type: 'string' } } }).values.name]`;
  const load = createLoader(folderWith(t, { 'main.cjs': source }));
  await using sim = createSimulation();
  const seen: unknown[] = [];
  for (const name of ['n1', 'n2'])
    sim.node(name, async (context) => {
      const { default: process } = await load(context, 'node:process');
      if (name === 'n1') Object.assign(process.env, { MODE: 'strict', RETRIES: 3 });
      process.argv.push('--name', name);
      seen.push((await load(context, './main.cjs')).default);
    });
  await sim.run(10);
  t.deepEqual(seen, [
    ['strict', '3', 'n1'],
    [undefined, undefined, 'n2'],
  ]);
  t.false('MODE' in process.env);
});

test('what a node writes appears in the output of the process, which it cannot change', async (t) => {
  const written: unknown[] = [];
  const { write } = process.stdout;
  t.teardown(() => Object.assign(process.stdout, { write }));
  process.stdout.write = ((chunk: unknown) => written.push(chunk)) as never;
  const seen = await inNode(
    t,
    `module.exports = () => {
      const { stdout } = process;
      stdout.write('one\\n');
      stdout.on('error', () => {});
      stdout.write = () => true;
      process.stdout.write('two');
      return [stdout.isTTY, stdout.columns, stdout.fd, process.stdout === stdout];
    }`,
  );
  t.deepEqual(seen, [undefined, undefined, 1, true]);
  t.deepEqual(written, ['one\n']);
});

test('diagnostics channels are those of the node', async (t) => {
  const source = `
    const diagnostics = require('diagnostics_channel');
    module.exports = () => {
      const seen = [];
      const note = (message, name) => seen.push([String(message), name]);
      diagnostics.subscribe('sealed:a', note);
      diagnostics.channel('sealed:b').subscribe(note);
      const tracing = diagnostics.tracingChannel('sealed');
      tracing.subscribe({ start: (message, name) => note(message.text, name) });
      diagnostics.channel('sealed:a').publish('1');
      diagnostics.channel('sealed:b').publish('2');
      tracing.traceSync(() => {}, { text: '3' });
      return [seen, diagnostics.hasSubscribers('sealed:a')];
    };`;
  const seen = [
    ['1', 'sealed:a'],
    ['2', 'sealed:b'],
    ['3', 'tracing:sealed:start'],
  ];
  const [notes, hasSubscribers] = await inNode(t, source);
  t.deepEqual([notes, hasSubscribers], [seen, true]);
  t.false(diagnostics.hasSubscribers('sealed:a') || diagnostics.hasSubscribers('sealed:b'));
});

test('what packages of the program share under symbols is not seen', async (t) => {
  const shared = Symbol.for('trunkline.sealed.test');
  Object.assign(globalThis, { [shared]: 'of the program' });
  t.teardown(() => Reflect.deleteProperty(globalThis, shared));
  const source = `module.exports = () => {
    const before = globalThis[Symbol.for('trunkline.sealed.test')];
    globalThis[Symbol.for('trunkline.sealed.test')] = 'of the node';
    return [before, globalThis[Symbol.for('trunkline.sealed.test')]];
  }`;
  t.deepEqual(await inNode(t, source), [undefined, 'of the node']);
  t.is(Reflect.get(globalThis, shared), 'of the program');
});

test('async hooks and storages end with their node', async (t) => {
  const { calls, storage } = await inNode(
    t,
    `const { AsyncLocalStorage, createHook } = require('async_hooks');
    let calls = 0;
    createHook({ init() { calls++; } }).enable();
    const storage = new AsyncLocalStorage();
    module.exports = () => storage.run(1, () => ({ calls: () => calls, storage }));`,
  );
  const before = calls();
  await new Promise((resolve) => setImmediate(resolve));
  t.true(before > 0);
  t.is(calls(), before);
  t.not(storage.enabled, true);
});

// Private keys, in PKCS #8.
const EC =
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZNOOadIVIHLkT1XGZwL9H1KKBiEsJKCA7T+MQXZzx4uhRANCAARnK1nx5xZC5V94uqkJt5odBU/JreQeQkknnsJfcK9hKqOn4nXm8RG8CeWODn+WXcOk7nVOsl/PFikesqZSdm5m';
const ED = 'MC4CAQAwBQYDK2VwBCIEILM9aT1KUPNzoCBHlkQGl8cxtBHYnp7fyooMUUwwA+hB';
