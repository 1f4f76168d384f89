// Lists the source files that one call over TCP enters: in the client until it is sent, and in the
// server until its handler runs. Each end is a process; V8's coverage says which functions ran.
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
  const server = start('server');
  const [address] = await once(server, 'message');
  const client = start('client', address);
  await once(client, 'message');
  try {
    for (const child of [server, client]) {
      child.send('observe');
      await once(child, 'message');
    }
    client.send('call');
    const [received] = await once(server, 'message');
    client.send('report');
    const [sent] = await once(client, 'message');
    return { out: sent, in: received };
  } finally {
    for (const child of [server, client]) child.kill();
  }
}

/** Starts one end. If it fails, so does this process. */
function start(...args) {
  const child = fork(self, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return child.on('exit', (code) => {
    if (code !== null) throw new Error(`call-path.mjs: a process ended with exit code ${code}`);
  });
}

/** Runs one end. */
async function runEnd(role, address) {
  const load = (name) =>
    import(pathToFileURL(join(root, 'packages', name, 'dist/bundle/index.js')));
  const { bytes, createTransport, defineProtocol, serve } = await load('transport-core');
  const { tcp } = await load('transport-tcp');
  const methods = { echo: { id: 1, request: bytes, response: bytes } };
  const protocol = defineProtocol({ name: 'call-path', version: 1, channel: 0x20, methods });
  const options = { protocol, backends: [tcp()] };
  const session = new Session();
  session.connect();
  let isObserved = false;
  const report = async () =>
    process.send(entered((await session.post('Profiler.takePreciseCoverage')).result));
  const transport = createTransport(...(role === 'server' ? ['tcp://127.0.0.1:0'] : []), options);
  const call = () => transport.send(address, 'echo', Uint8Array.of(1, 2, 3));
  process.on('message', async (step) => {
    if (step === 'report') return report();
    if (step === 'call') return call().catch(() => {}); // It is not answered.
    isObserved = true;
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true });
    process.send('observing');
  });
  if (role === 'client') {
    for (let i = 0; i < WARM_UP; i++) await call();
    return process.send('ready');
  }
  serve(transport, {
    echo(request) {
      if (!isObserved) return request;
      report();
      return new Promise(() => {});
    },
  });
  await transport.listen();
  process.send(transport.advertiseAddr());
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

if (process.send !== undefined && process.argv[1] === self) await runEnd(...process.argv.slice(2));
else if (process.argv[1] === self)
  for (const [way, files] of Object.entries(await callPath()))
    console.log(`${way}: ${files.length} files\n  ${files.join('\n  ')}`);
