import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { serve } from '@trunkline/transport-core';
import { createWsTransport } from '@trunkline/transport-ws';
import { notices } from './notices.ts';

const PAGE = '<!doctype html><script type="module" src="/page.js"></script>';
const port = Number(process.argv[2] ?? 8080);
const server = createServer(async ({ url }, response) => {
  const isScript = url === '/page.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? await readFile('page.js') : PAGE);
});
const transport = createWsTransport({
  protocol: notices,
  server,
  path: '/rpc',
  origins: [`http://127.0.0.1:${port}`],
});
serve(transport, {
  async join(name, { from }) {
    await transport.send(from, 'show', 'tea is ready');
    return `welcome, ${name}`;
  },
});
server.listen(port, '127.0.0.1');
await transport.listen();
console.log(`http://127.0.0.1:${port}/`);
