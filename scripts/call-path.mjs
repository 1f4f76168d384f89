// Lists the source files that one call over TCP enters: in the client until it is sent, and in the
// server until its handler runs. The client is another process; V8's coverage says which functions
// ran.
//
//   node scripts/call-path.mjs    prints the files of both ends

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { sourceAt } from './source-lines.mjs';
import { root } from './workspace.mjs';

/** The number of calls before the one that is observed: lazy parts are set up by then. */
const WARM_UP = 100;
const self = fileURLToPath(import.meta.url);

/** Returns `{ out, in }`: the sorted files of each end. */
export async function callPath() {
  const { createTransport, options, serve } = await load();
  const server = createTransport('tcp://127.0.0.1:0', options);
  let files;
  const received = new Promise((resolve) => {
    serve(server, {
      echo(request) {
        if (files === undefined) return request;
        resolve(files());
        return new Promise(() => {});
      },
    });
  });
  await server.listen();
  const client = fork(self, [server.advertiseAddr()]);
  client.on('exit', (code) => {
    if (code !== null) throw new Error(`call-path.mjs: the client ended with exit code ${code}`);
  });
  await once(client, 'message'); // It is warmed up, and observes itself.
  files = await observe();
  client.send('call');
  const own = await received;
  client.send('report');
  const [sent] = await once(client, 'message');
  client.kill();
  await server.close();
  return { out: sent, in: own };
}

async function runClient(address) {
  const { createTransport, options } = await load();
  const transport = createTransport(options);
  const call = () => transport.send(address, 'echo', Uint8Array.of(1, 2, 3));
  for (let i = 0; i < WARM_UP; i++) await call();
  const files = await observe();
  process.on('message', async (step) => {
    if (step === 'report') process.send(await files());
    else call().catch(() => {}); // It is not answered.
  });
  process.send('ready');
}

async function load() {
  const [core, { tcp }] = await Promise.all(
    ['transport-core', 'transport-tcp'].map(
      (name) => import(pathToFileURL(join(root, 'packages', name, 'dist/bundle/index.js'))),
    ),
  );
  const methods = { echo: { id: 1, request: core.bytes, response: core.bytes } };
  const protocol = core.defineProtocol({ name: 'call-path', version: 1, channel: 0x20, methods });
  return { ...core, options: { protocol, backends: [tcp()] } };
}

/** Starts to observe. Returns a function that lists our files of which functions ran since. */
async function observe() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true });
  return async () => entered((await session.post('Profiler.takePreciseCoverage')).result);
}

/** Returns our files of which functions ran. */
function entered(scripts) {
  const files = new Set();
  for (const { url, functions } of scripts) {
    if (!/\/packages\/[\w-]+\/dist\//.test(url)) continue;
    const path = fileURLToPath(url);
    const text = readFileSync(path, 'utf8');
    for (const { ranges } of functions) {
      if (ranges[0].count === 0) continue;
      const before = text.slice(0, ranges[0].startOffset).split('\n');
      const source = sourceAt(path, before.length - 1, before.at(-1).length);
      if (source !== undefined) files.add(source.file);
    }
  }
  return [...files].sort();
}

if (process.argv[1] === self && process.send !== undefined) await runClient(process.argv[2]);
else if (process.argv[1] === self)
  for (const [way, files] of Object.entries(await callPath()))
    console.log(`${way}: ${files.length} files\n  ${files.join('\n  ')}`);
