// Lists the source files that one call over TCP enters: in the client until it is sent, and in the
// server until its handler runs. Both ends are in this process, and a relay between them sees the
// request on its way. V8's coverage says which functions ran.
//
//   node scripts/call-path.mjs    prints the files of both ends

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as trunkline from '../packages/trunkline/dist/bundle/index.js';
import { sourceAt } from './workspace.mjs';

/** The number of calls before the one that is observed: lazy parts are set up by then. */
const WARM_UP = 100;

/** Returns `{ out, in }`: the sorted files of each end. */
export async function callPath() {
  const { bytes, createTransport, defineProtocol, serve, tcp } = trunkline;
  const methods = { echo: { id: 1, request: bytes, response: bytes } };
  const protocol = defineProtocol({ name: 'call-path', version: 1, channel: 0x20, methods });
  const options = { protocol, backends: [tcp()] };
  const session = new Session();
  session.connect();
  /** The coverage of both parts: up to the relay, and from there to the handler. */
  const ran = [];
  let isObserved = false;
  /** Takes the sample with this number, once. */
  const observe = (number) => {
    if (isObserved && ran.length === number) ran.push(session.post('Profiler.takePreciseCoverage'));
  };
  const server = createTransport('tcp://127.0.0.1:0', options);
  serve(server, {
    echo(request) {
      observe(1);
      return request;
    },
  });
  await server.listen();
  const relay = createServer((near) => {
    near.on('data', () => observe(0));
    near.pipe(connect(new URL(server.localAddr()).port, '127.0.0.1')).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const client = createTransport(options);
  const address = `tcp://127.0.0.1:${relay.address().port}`;
  const call = () => client.send(address, 'echo', Uint8Array.of(1, 2, 3));
  for (let i = 0; i < WARM_UP; i++) await call();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true });
  isObserved = true;
  await call();
  const [sent, received] = await Promise.all(ran);
  await client.close();
  await server.close();
  relay.close();
  session.disconnect();
  return { out: entered(sent.result), in: entered(received.result) };
}

/** Returns our files of which functions ran. */
function entered(scripts) {
  const files = new Set();
  for (const { url, functions } of scripts) {
    if (!/\/packages\/[\w-]+\/dist\//.test(url)) continue;
    const path = fileURLToPath(url);
    const text = readFileSync(path, 'utf8');
    for (const { ranges } of functions.filter(({ ranges: [{ count }] }) => count > 0)) {
      const before = text.slice(0, ranges[0].startOffset).split('\n');
      files.add(sourceAt(path, before.length - 1, before.at(-1).length)?.file);
    }
  }
  return [...files].filter(Boolean).sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [way, files] of Object.entries(await callPath()))
    console.log(`${way}: ${files.length} files\n  ${files.join('\n  ')}`);
