// A program that leaves transports open: process-end.test.ts observes whether it ends. Its
// arguments are what it does, its backend, and the address of the server. The environment has its
// key (OWN_KEY) and certificate (OWN_CERT), and the node id of the server (SERVER).

import { parseIdentity, secured } from '../index.security.ts';
import { createTransport, inmem, serve, tcp, ws } from '../index.ts';
import { echo } from './echo.ts';

const [what, kind, address] = process.argv.slice(2) as [string, string, string];
const { OWN_KEY: key = '', OWN_CERT: cert = '', SERVER = '' } = process.env;
const backend = {
  tcp: () => tcp(),
  ws: () => ws(),
  tls: () => tcp({ tls: { key, cert, allow: [SERVER] } }),
  wss: () => ws({ tls: { key, cert, allow: [SERVER] } }),
  noise: () => secured(tcp(), { identity: parseIdentity(key), allow: [SERVER] }),
  inmem: () => inmem(),
}[kind]!();
const say = (text: string) => void process.stdout.write(`${text}\n`);
const client = createTransport({ protocol: echo, backends: [backend] });
const to = client.to(address);

switch (what) {
  case 'calls':
    say(await to.say('hello'));
    for await (const number of to.count(3)) say(`${number}`);
    break;
  case 'a failed dial':
    await to
      .say('hello', { timeout: 100_000 })
      .catch((error) => say(`${error.code}/${error.reason}`));
    break;
  case 'calls in memory': {
    const server = createTransport('inmem://server', { protocol: echo, backends: [backend] });
    serve(server, { say: (text) => text });
    await server.listen();
    say(await client.to('inmem://server').say('hello'));
    break;
  }
  case 'a deadline in memory': {
    const server = createTransport('inmem://server', { protocol: echo, backends: [backend] });
    serve(server, { say: () => new Promise<string>(() => {}) });
    await server.listen();
    const error = await client
      .to('inmem://server')
      .say('hello', { timeout: 100 })
      .catch((error) => error);
    say(error.code);
    break;
  }
  case 'closing':
    say(await to.say('hello'));
    await client.close();
    say('closed');
    break;
  case 'a call in flight':
    say(await to.say('wait'));
    break;
  case 'a held connection':
    client.hold(address);
    await to.say('up');
    break;
  case 'a held target that is down':
    client.hold('tcp://127.0.0.1:1');
    await to.say('up');
    break;
  case 'a served protocol':
    serve(client, { say: (text) => text });
    await to.say('up');
    break;
  case 'a protocol that is served later':
    await to.say('hello');
    serve(client, { say: (text) => text });
    await to.say('up');
    break;
  case 'a listener': {
    const server = createTransport('tcp://127.0.0.1:0', { protocol: echo });
    await server.listen();
    await to.say('up');
    break;
  }
  case 'a protocol that is no longer served': {
    const server = serve(client, { say: (text) => text });
    say(await to.say('hello'));
    await server.stop();
  }
}
