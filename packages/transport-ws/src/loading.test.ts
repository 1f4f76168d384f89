// Loading the package costs a program without WebSockets nothing: ws and node:http are loaded by
// the first listen() or dial. Each case is a program of its own, which has loaded nothing yet.

import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);

/** Runs a program on this package, and returns the value that it passes to `tell`. */
async function told(program: string): Promise<unknown> {
  const [index, layer] = ['index.js', 'index.layer.js'].map(
    (name) => new URL(name, import.meta.url),
  );
  const text = `
    import { ws } from '${index}';
    import { createWsStreamLayer } from '${layer}';
    const layer = createWsStreamLayer();
    const tell = (value) => {
      console.log(JSON.stringify(value));
      process.exit();
    };
    const http = () => 
      process.moduleLoadList.filter((name) => /^NativeModule https?$/.test(name)).sort();
    ${program}
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text]);
  return JSON.parse(stdout);
}

test('a backend and a layer that neither listen nor dial load no HTTP', async (t) => {
  t.deepEqual(await told("ws(); layer.checkAddress('ws://a:1'); tell(http());"), []);
});

for (const [title, program] of [
  ['listen()', 'await layer.listen(() => {});'],
  ['a dial', "await layer.dial('ws://127.0.0.1:1', { timeout: 5_000 }).catch(() => {});"],
] as const)
  test(`${title} loads HTTP`, async (t) => {
    t.deepEqual(await told(`${program} tell(http());`), [
      'NativeModule http',
      'NativeModule https',
    ]);
  });

test('close() ends the first listen() and the first dial while ws loads', async (t) => {
  const program = `
    const pending = [layer.listen(() => {}), layer.dial('ws://127.0.0.1:1', { timeout: 5_000 })];
    await layer.close();
    const outcomes = await Promise.allSettled(pending);
    await layer.listen(() => {});
    tell(outcomes.map(({ reason }) => reason.code));
  `;
  t.deepEqual(await told(program), ['shutdown', 'shutdown']);
});

test('a dial can be aborted before and while ws loads', async (t) => {
  const program = `
    const aborted = layer.dial('ws://127.0.0.1:1', { signal: AbortSignal.abort('enough') });
    const controller = new AbortController();
    const later = layer.dial('ws://127.0.0.1:1', { timeout: 5_000, signal: controller.signal });
    controller.abort('enough');
    const outcomes = await Promise.allSettled([aborted, later]);
    tell(outcomes.map(({ reason }) => reason));
  `;
  t.deepEqual(await told(program), ['enough', 'enough']);
});

test('an upgrade on a given server that arrives while ws loads becomes a connection', async (t) => {
  const program = `
    const { createServer } = await import('node:http');
    const { connect } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    server.once('upgrade', (...upgrade) => {
      createWsStreamLayer({ server }).listen(() => tell(loadedBefore));
      const loadedBefore = http();
      server.emit('upgrade', ...upgrade);
    });
    connect(server.address().port, '127.0.0.1').write([
      'GET / HTTP/1.1', 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket',
      'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: trunkline.v1', '', '',
    ].join('\\r\\n'));
  `;
  t.deepEqual(await told(program), ['NativeModule http']); // Only ws loads node:https.
});
