// A program ends although a name is watched by a resolver that was passed to its transport.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { DnsServer } from './testing/dns-server.ts';

const program = fileURLToPath(new URL('./testing/never-closed.js', import.meta.url));
const { NODE_OPTIONS: _, ...env } = process.env;
const protocol = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});

test('a program with a DNS resolver ends after its calls, without close()', async (t) => {
  t.timeout(60_000);
  const dns = await DnsServer.start();
  t.teardown(() => dns.close());
  dns.hosts('node.example', ['127.0.0.1'], 600);
  const server = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
  t.teardown(() => server.close());
  serve(server, { echo: (echoed) => echoed });
  await server.listen();
  const port = new URL(server.localAddr()).port;
  const args = [program, dns.address, port];
  const running = promisify(execFile)(process.execPath, args, { env, timeout: 20_000 });
  t.is((await running).stdout, 'answered\nunavailable\n');
});
