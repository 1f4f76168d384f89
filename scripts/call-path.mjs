// Counts the source files and functions that one call over TCP enters: in the client until it is
// sent, and in the server until its handler runs. Each end is a process; V8's coverage says which
// functions ran.
//
//   node scripts/call-path.mjs    prints the files and the number of functions of both ends

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root } from './workspace.mjs';

/** The number of calls before the one that is observed: lazy parts are set up by then. */
const WARM_UP = 100;
const self = fileURLToPath(import.meta.url);

/** Returns `{ out, in }`, each with the sorted `files` and the number of `functions` of an end. */
export async function callPath() {
  const server = start('server');
  const address = await answerOf(server);
  const client = start('client', address);
  try {
    await answerOf(client);
    await tell([server, client], 'observe');
    await tell([client, server], 'call');
    const [sent, received] = await tell([client, server], 'report');
    return { out: sent, in: received };
  } finally {
    for (const child of [server, client]) child.kill();
  }
}

function start(...args) {
  return fork(self, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Sends a request to children, and returns their answers. */
async function tell(children, request) {
  const answers = children.map(answerOf);
  for (const child of children) child.send(request);
  return Promise.all(answers);
}

/** Returns the next message of a child; rejects if it ends before. */
async function answerOf(child) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`call-path.mjs: a process ended with exit code ${code}`);
  });
  const [answer] = await Promise.race([once(child, 'message'), ended]);
  return answer;
}

/** Runs one end, which obeys the parent. */
async function runEnd(role, address) {
  const load = (name) =>
    import(pathToFileURL(join(root, 'packages', name, 'dist/bundle/index.js')));
  const [{ bytes, createTransport, defineProtocol, serve }, { tcp }] = await Promise.all([
    load('transport-core'),
    load('transport-tcp'),
  ]);
  const protocol = defineProtocol({
    name: 'call-path',
    version: 1,
    channel: 0x20,
    methods: { echo: { id: 1, request: bytes, response: bytes } },
  });
  const isServer = role === 'server';
  const options = { protocol, backends: [tcp()] };
  const transport = isServer
    ? createTransport('tcp://127.0.0.1:0', options)
    : createTransport(options);
  const session = new Session();
  session.connect();
  const call = () => transport.send(address, 'echo', Uint8Array.of(1, 2, 3));
  let arrived;
  const arrival = new Promise((resolve) => (arrived = resolve));
  let isObserved = false;
  const requests = {
    observe: async () => {
      isObserved = true;
      await session.post('Profiler.enable');
      await session.post('Profiler.startPreciseCoverage', { callCount: true });
    },
    // The server does not answer the observed call.
    call: () => (isServer ? arrival : void call().catch(() => {})),
    report: async () => entered((await session.post('Profiler.takePreciseCoverage')).result),
  };
  process.on('message', async (request) => process.send((await requests[request]()) ?? 'done'));
  if (isServer) {
    serve(transport, {
      echo: (request) => {
        if (!isObserved) return request;
        arrived();
        return new Promise(() => {});
      },
    });
    await transport.listen();
    process.send(transport.advertiseAddr());
  } else {
    for (let i = 0; i < WARM_UP; i++) await call();
    process.send('ready');
  }
}

/** Returns the files and the number of functions of ours that ran. */
function entered(scripts) {
  const files = new Set();
  let functions = 0;
  for (const { url, functions: all } of scripts) {
    if (!/\/packages\/[\w-]+\/dist\//.test(url)) continue;
    const path = fileURLToPath(url);
    const lines = readFileSync(path, 'utf8').split('\n');
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
    for (const { ranges } of all) {
      if (ranges[0].count === 0) continue;
      const [line, column] = position(lines, ranges[0].startOffset);
      const source = map.findEntry(line, column).originalSource;
      if (source === undefined) continue;
      files.add(relative(root, resolve(dirname(path), source)));
      functions++;
    }
  }
  return { files: [...files].sort(), functions };
}

/** Returns the line and the column of an offset, both from 0. */
function position(lines, offset) {
  let line = 0;
  let left = offset;
  while (left > lines[line].length) left -= lines[line++].length + 1;
  return [line, left];
}

if (process.send !== undefined && process.argv[1] === self) await runEnd(...process.argv.slice(2));
else if (process.argv[1] === self) {
  for (const [way, { files, functions }] of Object.entries(await callPath()))
    console.log(`${way}: ${files.length} files, ${functions} functions\n  ${files.join('\n  ')}`);
}
