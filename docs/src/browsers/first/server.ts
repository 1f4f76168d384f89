import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createTransport, serve, ws } from 'trunkline';
import { notices } from './notices.ts';

const PAGE = '<!doctype html><script type="module" src="/page.js"></script>';
const port = Number(process.argv[2] ?? 8080);
const server = createServer(async ({ url }, response) => {
  const isScript = url === '/page.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? await readFile('page.js') : PAGE);
});
const transport = createTransport('ws://server/rpc', {
  protocol: notices,
  backends: [ws({ server, origins: [`http://127.0.0.1:${port}`] })],
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
